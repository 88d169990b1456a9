import type { FastifyInstance } from 'fastify'
import { systemRuntime } from 'obverse'

/** Milliseconds that requests which are under way have when the server closes. */
export const DRAIN = 10_000

/**
 * Lets a closing server end: connections close with the answer that they wait for instead of staying alive, and those
 * whose request has not arrived or been answered in time are cut.
 */
export function drainOnClose(server: FastifyInstance, ms: number): void {
  let closing = false
  server.addHook('preClose', async () => {
    closing = true
    const cancel = systemRuntime.after(ms, () => server.server.closeAllConnections())
    server.server.once('close', cancel)
  })
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) reply.header('connection', 'close')
    done(null, payload)
  })
}
