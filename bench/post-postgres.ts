import { SAMPLE } from '../apps/orders/sample.ts'
import { httpLoad, postRequest } from './http-load.ts'
import type { Question, Sides } from './question.ts'
import { endProcess, freePort, type Program, serverProcess } from './server-process.ts'
import { newDatabase } from './servers.ts'

export const postPostgres: Question = {
  name: 'post-postgres',
  asks: 'POST of an event-sourced command on PostgreSQL, 50 connections, beside Fastify with a prepared CTE per request',
  unit: 'requests/s',
  reach: 2,
  async prepare() {
    const [ours, twin, nest] = [await newDatabase(), await newDatabase(), await newDatabase()]
    return sides(
      (port) => ({ args: ['bench/ours/decide-postgres.ts', port, ours] }),
      (port) => ({ args: ['bench/twins/decide-postgres.ts', port, twin] }),
      { lines: [{ sku: 'laptop', quantity: 1 }] },
      { '@nestjs/cqrs': (port) => ({ args: ['bench/twins/decide-nest.ts', port, nest] }) },
    )
  },
}

export const postPostgresTables: Question = {
  name: 'post-postgres-tables',
  asks: 'POST /orders on PostgreSQL, 50 connections, beside Fastify with the same statements by Kysely in a transaction',
  unit: 'requests/s',
  reach: 0.85,
  async prepare() {
    const [ours, twin] = [await newDatabase(), await newDatabase()]
    return sides(
      (port) => ({ args: ['bench/ours/orders-postgres.ts', port, ours] }),
      (port) => ({ args: ['bench/twins/orders-postgres.ts', port, twin] }),
      SAMPLE,
    )
  },
}

type Serving = (port: string) => Program

/** Each in its own process; the load comes from this one. Peers run while they are measured, and no longer. */
async function sides(
  ours: Serving,
  twin: Serving,
  body: object,
  peers: Readonly<Record<string, Serving>> = {},
): Promise<Sides> {
  const ports = [await freePort(), await freePort()] as const
  const programs = [ours(`${ports[0]}`), twin(`${ports[1]}`)]
  const processes = await Promise.all(programs.map((program) => serverProcess(program)))
  const requests = [postRequest('/orders', body)]
  const run = (port: number) => httpLoad({ port, connections: 50, milliseconds: 1_500, requests, status: '201' })
  const peer = (serving: Serving) => async () => {
    const port = await freePort()
    const process = await serverProcess(serving(`${port}`))
    try {
      await run(port)
      return await run(port)
    } finally {
      await endProcess(process)
    }
  }
  return {
    ours: () => run(ports[0]),
    twin: () => run(ports[1]),
    peers: Object.fromEntries(Object.entries(peers).map(([name, serving]) => [name, peer(serving)])),
    async close() {
      await Promise.all(processes.map(endProcess))
    },
  }
}
