import type { FastifyReply, FastifyRequest } from 'fastify'

/** The header by which a write's token goes out and a query's comes in. */
export const TOKEN_HEADER = 'consistency-token'

/** The write that the answer must include; an empty header waits for nothing. */
export function tokenOf(request: FastifyRequest): string | undefined {
  const token = request.headers[TOKEN_HEADER]
  return typeof token === 'string' && token !== '' ? token : undefined
}

/** A write without events has no token to send. */
export function sendToken(reply: FastifyReply, token: string): void {
  if (token !== '') reply.header(TOKEN_HEADER, token)
}
