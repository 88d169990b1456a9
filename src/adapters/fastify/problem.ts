import type { FastifyRequest } from 'fastify'

/** A request that HTTP itself does not allow, before any message of the application is made. The text is for the client. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

export function unreadable(why: string): Problem {
  return new Problem(400, 'BODY_UNREADABLE', why)
}

/** Told of every error that a client only saw as a general text. */
export type OnError = (error: unknown, request: FastifyRequest) => void
