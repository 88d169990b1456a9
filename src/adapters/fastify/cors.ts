import type { FastifyReply, FastifyRequest } from 'fastify'
import { MESSAGE_HEADER } from './exchange.ts'
import { IDEMPOTENCY_HEADER } from './idempotency.ts'
import { TOKEN_HEADER } from './token.ts'

/** Which origins a browser may call from: all of them, some by name, or as a function says. No credentials. */
export type CorsOptions = boolean | readonly string[] | ((origin: string) => boolean)

const SECONDS_A_PREFLIGHT_HOLDS = 600
const READABLE = ['location', 'link', 'retry-after', 'allow', TOKEN_HEADER, MESSAGE_HEADER].join(', ')
const SENDABLE = ['content-type', IDEMPOTENCY_HEADER, TOKEN_HEADER, 'traceparent'].join(', ')

/** Sets the headers by which a browser lets its page read this answer. */
export function allowOrigin(request: FastifyRequest, reply: FastifyReply, cors: CorsOptions): void {
  if (cors === false) return
  reply.header('vary', 'Origin')
  const { origin } = request.headers
  if (origin === undefined || !isAllowed(origin, cors)) return
  reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', READABLE)
}

/** Answers what a browser asks before it sends. `methods`: of the whole application, so that one answer does for all. */
export function preflight(request: FastifyRequest, reply: FastifyReply, methods: readonly string[]): void {
  if (reply.getHeader('access-control-allow-origin') === undefined) return
  reply
    .header('access-control-allow-methods', methods.join(', '))
    .header('access-control-allow-headers', request.headers['access-control-request-headers'] ?? SENDABLE)
    .header('access-control-max-age', SECONDS_A_PREFLIGHT_HOLDS)
}

function isAllowed(origin: string, cors: CorsOptions): boolean {
  if (typeof cors === 'function') return cors(origin)
  return cors === true || (Array.isArray(cors) && cors.includes(origin))
}
