import { connect } from 'amqplib'
import { type Document, MongoClient } from 'mongodb'
import pg from 'pg'
import { fresh, type Server } from '../../../test/servers.ts'
import { Installation, type Json } from './installation.ts'

/** One of each; a database or virtual host that nobody else uses. */
export interface Servers {
  readonly postgres: Server
  readonly rabbitmq: Server
  readonly mongodb: Server
}

/** On the servers that all files of the run share. Ask while a file is collected, or in a test. */
export async function freshServers(): Promise<Servers> {
  const [postgres, rabbitmq, mongodb] = await Promise.all([fresh('postgres'), fresh('rabbitmq'), fresh('mongodb')])
  return { postgres, rabbitmq, mongodb }
}

const INT8 = 20

/** On PostgreSQL, RabbitMQ and MongoDB. */
export class ServersInstallation extends Installation {
  readonly stack = 'servers'
  readonly missing: string | undefined
  readonly env: Readonly<Record<string, string>>
  readonly #servers: Servers
  readonly #partitions: number
  #pool: pg.Pool | undefined
  #client: MongoClient | undefined

  constructor(servers: Servers, env: Readonly<Record<string, string>> = {}) {
    super()
    const { postgres, rabbitmq, mongodb } = servers
    this.#servers = servers
    this.#partitions = Number(env.ORDERS_PARTITIONS ?? 1)
    this.missing = [postgres, rabbitmq, mongodb].find(({ missing }) => missing !== undefined)?.missing
    this.env =
      this.missing === undefined
        ? {
            ...env,
            ORDERS_ON: 'servers',
            DATABASE_URL: postgres.url,
            AMQP_URL: rabbitmq.url,
            MONGODB_URL: mongodb.url,
            ...(rabbitmq.management !== undefined && { AMQP_MANAGEMENT_URL: rabbitmq.management }),
          }
        : {}
  }

  async rows(query: string, ...parameters: string[]): Promise<Json[]> {
    this.#pool ??= this.#connect()
    let number = 0
    const text = query.replace(/\?/g, () => {
      number += 1
      return `$${number}`
    })
    return (await this.#pool.query(text, parameters)).rows
  }

  async moneyTypes(): Promise<readonly string[]> {
    const found = await this.rows(
      "SELECT data_type FROM information_schema.columns WHERE column_name IN ('total_cents', 'price_cents')",
    )
    return found.map(({ data_type }) => data_type)
  }

  async accepted(): Promise<readonly string[]> {
    const query = `SELECT key FROM obverse_event JOIN obverse_position USING (number)
      WHERE type = 'order.created' ORDER BY position DESC`
    return (await this.rows(query)).map(({ key }) => key)
  }

  async waiting(channel = 'orders_events'): Promise<number> {
    const [outbox] = await this.rows('SELECT count(*) AS n FROM obverse_queue WHERE channel = ?', channel)
    const ready = await this.#onQueues(channel, async (amqp, queue) => (await amqp.checkQueue(queue)).messageCount)
    return ready.reduce((sum, count) => sum + count, outbox.n)
  }

  async emptyQueue(channel = 'orders_events'): Promise<void> {
    await this.#onQueues(channel, (amqp, queue) => amqp.purgeQueue(queue))
  }

  async wipeReadStore(): Promise<void> {
    await (await this.#documents()).dropDatabase()
  }

  /** What MongoDB has of an order. */
  async document(id: string): Promise<Document | null> {
    return (await this.#documents()).collection<{ _id: string }>('orders').findOne({ _id: id })
  }

  protected async close(): Promise<void> {
    await Promise.all([this.#pool?.end(), this.#client?.close()])
  }

  #connect(): pg.Pool {
    const types = { getTypeParser: (id: number) => (id === INT8 ? Number : pg.types.getTypeParser(id)) }
    const pool = new pg.Pool({ connectionString: this.#servers.postgres.url, max: 2, types })
    // a server that a test stops
    pool.on('error', () => {})
    return pool
  }

  async #documents() {
    this.#client ??= new MongoClient(this.#servers.mongodb.url, { serverSelectionTimeoutMS: 5_000 })
    return this.#client.db(new URL(this.env.MONGODB_URL as string).pathname.slice(1) || 'orders')
  }

  /** On a connection for the moment: brokers are stopped. */
  async #onQueues<T>(channel: string, use: (amqp: AmqpChannel, queue: string) => Promise<T>): Promise<T[]> {
    const model = await connect(this.#servers.rabbitmq.url)
    model.on('error', () => {})
    try {
      const amqp = await model.createChannel()
      amqp.on('error', () => {})
      const several = channel === 'orders_events' && this.#partitions > 1
      const queues = several ? Array.from({ length: this.#partitions }, (_, at) => `${channel}.${at}`) : [channel]
      return await Promise.all(queues.map((queue) => use(amqp, queue)))
    } finally {
      await model.close().catch(() => {})
    }
  }
}

type AmqpChannel = Awaited<ReturnType<Awaited<ReturnType<typeof connect>>['createChannel']>>
