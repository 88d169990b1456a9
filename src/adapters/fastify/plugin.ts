import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { App } from 'obverse'
import { acceptJson, type BodyLimits } from './body.ts'
import { allowOrigin, type CorsOptions } from './cors.ts'
import { docsPage } from './docs-page.ts'
import { DRAIN, drainOnClose } from './drain.ts'
import { type Envelope, type Failure, plainEnvelope } from './envelope.ts'
import { type ExchangeOptions, exchange } from './exchange.ts'
import { serveHealth } from './health.ts'
import { answerUnrouted, Methods } from './methods.ts'
import { type OpenApiInfo, openApi } from './openapi.ts'
import type { OnError } from './problem.ts'
import { refuseBeforeRouting } from './protocol.ts'
import type { Routes } from './routes.ts'
import { failureOf } from './status.ts'

export interface HttpOptions extends BodyLimits, OpenApiInfo, Pick<ExchangeOptions, 'principal' | 'toJsonSchema'> {
  /** Default {@link plainEnvelope}. */
  readonly envelope?: Envelope
  /** Default false: no other origin. */
  readonly cors?: CorsOptions
  /** Paths of our own; `false`: none. Default `/health`, `/openapi.json` and `/docs`. */
  readonly paths?: {
    readonly health?: string | false
    readonly openapi?: string | false
    readonly docs?: string | false
  }
  /** What `GET /` says, as plain text. Default: nothing, a 404. */
  readonly banner?: string
  /** Text of the 404 of an unknown path. Default `Not found.` */
  readonly notFound?: string
  /** Milliseconds that requests under way have when the server closes; then their connections are cut. Default 10,000. */
  readonly drain?: number
  /** Told of every error that a client only saw as a general text. Default: the log of Fastify. */
  readonly onError?: OnError
}

/**
 * The plugin that serves `routes`: their messages, 404 and 405, errors, CORS, health, OpenAPI and its page. It sets the
 * body parser, the error handler and the not-found handler of the server it is registered on.
 *
 * Register it on a server made with {@link serverOptions}, or let {@link httpServer} do both.
 */
export function plugin<H>(routes: Routes<H>, options: HttpOptions = {}): FastifyPluginAsync {
  const { envelope = plainEnvelope, cors = false, paths = {}, banner, notFound = 'Not found.' } = options
  const { health = '/health', openapi = '/openapi.json', docs = '/docs' } = paths
  const app = routes.app as unknown as App

  const serve: FastifyPluginAsync = async (server) => {
    acceptJson(server, options)
    drainOnClose(server, options.drain ?? DRAIN)
    server.addHook('onRequest', async (request, reply) => allowOrigin(request, reply, cors))
    refuseBeforeRouting(server)
    server.setErrorHandler((error, request, reply) => fail(error, request, reply, envelope, options.onError))
    for (const route of routes.list) {
      server.route({
        method: route.method,
        url: route.path,
        handler: exchange(app, route, { ...options, envelope }),
      })
    }
    if (banner !== undefined) server.get('/', (_, reply) => reply.type('text/plain; charset=utf-8').send(banner))
    if (health !== false) serveHealth(server, health, app, envelope)
    if (openapi !== false) serveDocument(server, openapi, openApi(routes.list, { ...options, envelope, health }))
    if (docs !== false && openapi !== false) servePage(server, docs, docsPage(options.title ?? app.name, openapi))
    const ours = [banner !== undefined && '/', health, openapi, openapi !== false && docs].filter(
      (path) => path !== false,
    )
    const methods = new Methods([...routes.list, ...ours.map((path) => ({ method: 'GET', path }))])
    server.setNotFoundHandler(answerUnrouted(methods, notFound))
  }
  // the handlers are those of the whole server, not of a part of it
  return Object.assign(serve, { [Symbol.for('skip-override')]: true })
}

/** Answers with the envelope of a failure, and reports what the client must not see. */
export function fail(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  envelope: Envelope,
  onError?: OnError,
): FastifyReply {
  const failure = failureOf(error)
  if (failure.status >= 500) {
    if (onError) onError(error, request)
    else request.log.error(error)
  }
  return sendFailure(reply, envelope, failure)
}

export function sendFailure(reply: FastifyReply, envelope: Envelope, failure: Failure): FastifyReply {
  if (failure.retryAfter !== undefined) reply.header('retry-after', failure.retryAfter)
  return reply
    .code(failure.status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(envelope.failure(failure)))
}

function serveDocument(server: FastifyInstance, path: string, document: object): void {
  const text = JSON.stringify(document)
  server.get(path, (_, reply) => reply.type('application/json; charset=utf-8').send(text))
}

/** The page runs its own script and style, and talks to its own origin; nothing else. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'"

function servePage(server: FastifyInstance, path: string, page: string): void {
  server.get(path, (_, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', POLICY).send(page),
  )
}
