import { type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import fastify, { type FastifyHttpOptions, type FastifyInstance } from 'fastify'
import { BODY_LIMIT } from './body.ts'
import { allowOrigin } from './cors.ts'
import { type Envelope, plainEnvelope } from './envelope.ts'
import { fail, type HttpOptions, plugin } from './plugin.ts'
import type { Routes } from './routes.ts'
import { httpFailure } from './status.ts'

/** Characters of one parameter in a path; longer ones are an unknown path. */
const PARAMETER_LENGTH = 1_024
/** Milliseconds a request may take to arrive. */
const ARRIVAL = 60_000

/**
 * What only the constructor of Fastify can set: requests that never reach a route answer in the envelope too, and a
 * server that closes finishes what it has accepted.
 *
 * @example
 * const server = fastify({ ...serverOptions({ envelope }), logger: true })
 * await server.register(plugin(routes, { envelope }))
 */
export function serverOptions(options: HttpOptions = {}): FastifyHttpOptions<Server> {
  const { envelope = plainEnvelope, cors = false, bodyLimit = BODY_LIMIT, onError } = options
  return {
    bodyLimit,
    requestTimeout: ARRIVAL,
    return503OnClosing: false,
    // refused by the plugin, with a body
    http: { requireHostHeader: false },
    routerOptions: { maxParamLength: PARAMETER_LENGTH },
    frameworkErrors: (error, request, reply) => {
      allowOrigin(request, reply, cors)
      fail(error, request, reply, envelope, onError)
    },
    clientErrorHandler: (error, socket) => refuseBytes(error, socket, envelope),
  }
}

/** A Fastify server with the plugin on it. Listens to nothing yet. */
export function httpServer<H>(routes: Routes<H>, options: HttpOptions = {}): FastifyInstance {
  const server = fastify(serverOptions(options))
  server.register(plugin(routes, options))
  return server
}

/** Bytes that are not HTTP. */
function refuseBytes(error: Error & { readonly code?: string }, socket: Socket, envelope: Envelope): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return
  const failure = httpFailure(CLIENT_ERRORS[error.code ?? ''] ?? 400)
  const body = JSON.stringify(envelope.failure(failure))
  socket.end(
    `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}\r\nConnection: close\r\n` +
      `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

const CLIENT_ERRORS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}
