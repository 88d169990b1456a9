import type { FastifyInstance } from 'fastify'
import { Problem } from './problem.ts'

/**
 * Refuses in the envelope what Node would refuse by itself and without a body: an expectation that nobody can meet, and,
 * where the server was made with `serverOptions`, a request of HTTP 1.1 that names no host.
 */
export function refuseBeforeRouting(server: FastifyInstance): void {
  // Node asks only here whether it is to answer, and knows what to do about 100-continue
  server.server.on('checkExpectation', (request, response) => server.server.emit('request', request, response))
  server.addHook('onRequest', async ({ raw }) => {
    if (raw.headers.host === undefined && raw.httpVersion === '1.1') {
      throw new Problem(400, 'HOST_MISSING', 'The request has no header Host.')
    }
    const { expect } = raw.headers
    if (expect !== undefined && !/^100-continue$/i.test(expect)) {
      throw new Problem(417, 'EXPECTATION_UNKNOWN', 'The only expectation that is met here is 100-continue.')
    }
  })
}
