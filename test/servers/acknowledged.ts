// What a server acknowledged, and what it still has: for each kind the way an adapter writes.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'amqplib'
import { MongoClient } from 'mongodb'
import pg from 'pg'
import type { Kind } from '../../scripts/servers/name.ts'

export interface Writing {
  /** What was acknowledged so far. */
  readonly acknowledged: ReadonlySet<string>
  /** Resolves when the writers are done, which is soon after the server's end. */
  readonly over: Promise<unknown>
}

const WRITERS = 4

/** Writes as fast as it goes, until an error. */
export async function write(kind: Kind, url: string): Promise<Writing> {
  const acknowledged = new Set<string>()
  const put = await OPEN[kind](url)
  const over = Promise.allSettled(
    Array.from({ length: WRITERS }, async (_, writer) => {
      for (let at = 1; ; at++) {
        const id = `${writer}-${at}`
        await put(id)
        acknowledged.add(id)
      }
    }),
  )
  return { acknowledged, over }
}

const OPEN: Readonly<Record<Kind, (url: string) => Promise<(id: string) => Promise<unknown>>>> = {
  async postgres(url) {
    const pool = new pg.Pool({ connectionString: url, max: WRITERS })
    pool.on('error', () => {})
    await pool.query('CREATE TABLE written (id text PRIMARY KEY)')
    return (id) => pool.query('INSERT INTO written VALUES ($1)', [id])
  },

  async rabbitmq(url) {
    const model = await connect(url, { noDelay: true })
    const ended = once(model, 'close').catch(() => {})
    model.on('error', () => {})
    const channel = await model.createConfirmChannel()
    channel.on('error', () => {})
    await channel.assertQueue('written', { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    // RabbitMQ writes down which queues it has with half a second's delay. One that a SIGKILL meets before comes back
    // empty, whatever was confirmed, and never has a leader (seen with 3.10.8 and 4.0.5).
    await sleep(1_500)
    return (id) =>
      new Promise((resolve, reject) => {
        ended.then(() => reject(new Error('closed')))
        channel.sendToQueue('written', Buffer.from(id), { persistent: true }, (error) =>
          error ? reject(error) : resolve(undefined),
        )
      })
  },

  async mongodb(url) {
    const client = await new MongoClient(url, { serverSelectionTimeoutMS: 500 }).connect()
    const rows = client.db('test').collection<{ _id: string; position: number }>('written')
    // one row per writer, by a guarded update, and one new row each
    return async (id) => {
      const [writer = '', at = ''] = id.split('-')
      const newer = { _id: `writer ${writer}`, position: { $lt: Number(at) } }
      await rows.updateOne(newer, { $set: { position: Number(at) } }, { upsert: true })
      await rows.insertOne({ _id: id, position: 0 })
    }
  },
}

/** Which of these are there. */
export function read(kind: Kind, url: string, ids: ReadonlySet<string>): Promise<Set<string>> {
  return READ[kind](url, ids)
}

const READ: Readonly<Record<Kind, (url: string, ids: ReadonlySet<string>) => Promise<Set<string>>>> = {
  async postgres(url) {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query<{ id: string }>('SELECT id FROM written')
    await client.end()
    return new Set(rows.map(({ id }) => id))
  },

  // By taking them: for a while after its start a quorum queue counts too few.
  async rabbitmq(url, ids) {
    const model = await connect(url, { noDelay: true })
    model.on('error', () => {})
    const channel = await model.createChannel()
    const found = new Set<string>()
    await new Promise<void>((resolve) => {
      const enough = setTimeout(resolve, 10_000)
      void channel.consume('written', (message) => {
        if (!message) return
        found.add(message.content.toString())
        channel.ack(message)
        if (found.size < ids.size || !ids.isSubsetOf(found)) return
        clearTimeout(enough)
        resolve()
      })
    })
    await model.close()
    return found
  },

  async mongodb(url, ids) {
    const client = await new MongoClient(url).connect()
    const rows = await client.db('test').collection<{ _id: string; position: number }>('written').find().toArray()
    await client.close()
    const found = new Set(rows.map(({ _id }) => _id))
    const positions = new Map(rows.map(({ _id, position }) => [_id, position]))
    for (const id of ids) {
      const [writer, at] = id.split('-')
      if ((positions.get(`writer ${writer}`) ?? 0) < Number(at)) found.delete(id)
    }
    return found
  },
}
