import { randomUUIDv7 } from 'node:crypto'
import { Agent, request } from 'node:http'
import pg from 'pg'
import { type Latency, latency } from './question.ts'

export interface Pace {
  readonly port: number
  /** Database of the read store, and the table in it that has a row for each order. */
  readonly read: string
  readonly table: string
  /** Orders posted in a second, whether those before are answered or not. */
  readonly rate: number
  readonly seconds: number
}

/** Milliseconds between looks at the read store, for all orders that are on their way: small beside what is measured. */
const LOOK = 0.5
/** Milliseconds after which an order that cannot be seen ends the run. */
const PATIENCE = 20_000
const LINES = [{ sku: 'laptop', quantity: 1 }]

/**
 * Posts orders at a steady pace and waits until each has its row in the read store, as any reader would see it. A time is
 * from the moment at which the order was due to be posted.
 */
export async function orderPaced({ port, read, table, rate, seconds }: Pace): Promise<Latency> {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 })
  const client = new pg.Client({ connectionString: read })
  await client.connect()
  const count = rate * seconds
  const times: number[] = []
  const posted = new Map<string, number>()
  const start = performance.now()
  let failed: unknown
  const post = async (due: number) => {
    const orderId = randomUUIDv7()
    posted.set(orderId, due)
    try {
      await place(agent, port, JSON.stringify({ orderId, lines: LINES }))
    } catch (error) {
      failed ??= error
    }
  }
  let sent = 0
  try {
    while (times.length < count) {
      const now = performance.now()
      for (; sent < count && start + (sent * 1_000) / rate <= now; sent += 1) void post(start + (sent * 1_000) / rate)
      if (posted.size > 0) {
        const { rows } = await client.query<{ id: string }>({
          name: 'seen',
          text: `SELECT id FROM ${table} WHERE id = ANY ($1::text[])`,
          values: [[...posted.keys()]],
        })
        const seen = performance.now()
        for (const { id } of rows) {
          times.push(seen - (posted.get(id) as number))
          posted.delete(id)
        }
      }
      if (failed) throw failed
      if (now - start > seconds * 1_000 + PATIENCE) throw new Error(`${count - times.length} orders cannot be seen`)
      await new Promise((resolve) => setTimeout(resolve, LOOK))
    }
  } finally {
    agent.destroy()
    await client.end()
  }
  return latency(times)
}

function place(agent: Agent, port: number, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sending = request({ agent, port, host: '127.0.0.1', method: 'POST', path: '/orders', headers }, (answer) => {
      answer.resume()
      answer.on('end', () => {
        if (answer.statusCode === 201) resolve()
        else reject(new Error(`POST was answered with ${answer.statusCode}`))
      })
    })
    sending.on('error', reject)
    sending.end(body)
  })
}
