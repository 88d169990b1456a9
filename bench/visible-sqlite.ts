import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { SAMPLE } from '../apps/orders/sample.ts'
import { type Latency, latency, type Question } from './question.ts'
import { endProcess, freePort, serverProcess } from './server-process.ts'

const RATE = 200
const SECONDS = 3
/** Milliseconds after which an order that cannot be seen ends the run. */
const PATIENCE = 20_000

/** One process with everything, as `npm start` runs it. */
export const visibleSqlite: Question = {
  name: 'visible-sqlite',
  asks: `from the answer to POST /orders until GET shows the order, embedded, ${RATE} orders/s`,
  unit: 'ms',
  reach: { p50: 5, p99: 25 },
  async prepare(folder) {
    const port = await freePort()
    const server = await serverProcess({
      args: ['apps/start.ts', 'orders', '--port', `${port}`, '--data', join(folder, 'ours')],
    })
    return {
      ours: () => visible(port),
      close: () => endProcess(server),
    }
  },
}

/** Posts at a steady pace, and asks for each order again and again from its answer on, as an impatient reader would. */
async function visible(port: number): Promise<Latency> {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 })
  const ask = asking(agent, port)
  const body = JSON.stringify(SAMPLE)
  const one = async () => {
    const posted = await ask('POST', '/orders', body)
    if (posted.status !== 201) throw new Error(`POST was answered with ${posted.status}`)
    const answered = performance.now()
    const { data } = JSON.parse(posted.body) as { data: { id: string } }
    for (;;) {
      const { status } = await ask('GET', `/orders/${data.id}`)
      const waited = performance.now() - answered
      if (status === 200) return waited
      if (status !== 404 || waited > PATIENCE) throw new Error(`Order ${data.id} is answered with ${status}`)
    }
  }
  const start = performance.now()
  const orders: Promise<number>[] = []
  try {
    while (orders.length < RATE * SECONDS) {
      while (start + (orders.length * 1_000) / RATE <= performance.now()) orders.push(one())
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    return latency(await Promise.all(orders))
  } finally {
    agent.destroy()
  }
}

function asking(agent: Agent, port: number) {
  return (method: string, path: string, body = '') =>
    new Promise<{ readonly status: number; readonly body: string }>((resolve, reject) => {
      const headers = body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const sending = request(
        { agent, port, host: '127.0.0.1', method, path, ...(headers && { headers }) },
        (answer) => {
          let text = ''
          answer.on('data', (chunk: Buffer) => {
            text += chunk
          })
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }))
        },
      )
      sending.on('error', reject)
      sending.end(body)
    })
}
