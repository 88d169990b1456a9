import { join } from 'node:path'
import { SAMPLE } from '../apps/orders/sample.ts'
import { httpLoad, postRequest } from './http-load.ts'
import type { Question } from './question.ts'
import { endProcess, freePort, serverProcess } from './server-process.ts'

/** The orders application as its users run it (role api), and the same request by hand; each in its own process. */
export const postSqlite: Question = {
  name: 'post-sqlite',
  asks: 'POST /orders embedded, 50 connections, beside Fastify with one prepared transaction per request',
  unit: 'requests/s',
  reach: 1.3,
  async prepare(folder) {
    const ports = { ours: await freePort(), twin: await freePort() }
    const args = ['--role', 'api', '--port', `${ports.ours}`, '--data', join(folder, 'ours')]
    const ours = await serverProcess({ args: ['apps/start.ts', 'orders', ...args] })
    const twin = await serverProcess({ args: ['bench/twins/orders-sqlite.ts', `${ports.twin}`, join(folder, 'twin')] })
    const requests = [postRequest('/orders', SAMPLE)]
    const run = (port: number) => httpLoad({ port, connections: 50, milliseconds: 1_500, requests, status: '201' })
    return {
      ours: () => run(ports.ours),
      twin: () => run(ports.twin),
      async close() {
        await Promise.all([endProcess(ours), endProcess(twin)])
      },
    }
  },
}
