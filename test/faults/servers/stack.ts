import { setTimeout as pause } from 'node:timers/promises'
import { type ChannelModel, connect } from 'amqplib'
import { MongoClient } from 'mongodb'
import type { Kind } from '../../../scripts/servers/name.ts'
import { forget, remember } from '../../servers/leftovers.ts'
import { dropSpace, makeSpace, spaceName } from '../../servers/space.ts'
import type { OwnServer, Server } from '../../servers.ts'
import { ALONE, SHARED } from '../ledger/handlers.ts'
import type { Scenario } from '../scenario.ts'
import type { Stack, Stage, ViewRow } from '../stack.ts'
import { createLink } from './link.ts'
import { postgresDatabase } from './sql.ts'

/** What runs share, and what one at a time may strike. */
export interface Homes {
  readonly shared: Readonly<Record<Kind, Server>>
  readonly own: Readonly<Record<Kind, OwnServer | undefined>>
  /** One that comes back empty. */
  readonly forgetful: OwnServer | undefined
}

/** PostgreSQL alone; with a broker RabbitMQ beside it, and views in MongoDB. */
export function servers(homes: Homes): Stack {
  return {
    name: 'servers',
    program: 'servers.ts',
    versions: Object.values(homes.shared)
      .map(({ kind, version, what, from }) => `${kind} ${version}${what === 'server' ? '' : ` (${from})`}`)
      .join(', '),
    open: (scenario) => stage(scenario, homes),
  }
}

/** Milliseconds that a statement is waited for where the database falls silent. */
const ANSWER = 1_500

async function stage(
  { broker, strike, partitions = 1, crash = {} }: Scenario,
  { shared, own, forgetful }: Homes,
): Promise<Stage> {
  const isSilent = strike?.how === 'freeze' || strike?.how === 'silence'
  // its handlers must not be blamed for the silence of their database
  const isSilentStore = isSilent && strike.server === 'postgres'
  const impatient = (isSilent && !isSilentStore) || Object.values(crash).some(({ stop }) => stop)
  const used: readonly Kind[] = broker ? ['postgres', 'rabbitmq', 'mongodb'] : ['postgres']
  const struck: Partial<Record<Kind, OwnServer>> = {}
  if (strike?.own) {
    const mine = strike.forgets ? forgetful : own[strike.server]
    if (mine) struck[strike.server] = mine
  }
  const name = spaceName()
  const spaces = await Promise.all(
    used.map(async (kind) => {
      const home: Server = struck[kind] ?? shared[kind]
      remember(home, name)
      return { kind, home, url: await makeSpace(home, name) }
    }),
  )
  const { management } = struck.rabbitmq ?? shared.rabbitmq
  const urls = new Map(spaces.map(({ kind, url }) => [kind, url]))
  const { rabbitmq, mongodb } = Object.fromEntries(urls) as Partial<Record<Kind, string>>
  const postgres = urls.get('postgres') as string
  const store = postgresDatabase(postgres)
  const queues = rabbitmq === undefined ? undefined : queueCounts(rabbitmq, partitions)
  const documents = mongodb === undefined ? undefined : new MongoClient(mongodb, { serverSelectionTimeoutMS: 1_000 })
  const [cut] = spaces.filter(
    ({ kind }) => kind === strike?.server && (strike.how === 'cut' || strike.how === 'silence'),
  )
  const link = cut && (await createLink(cut.url))
  const addresses = { rabbitmq, mongodb, postgres, ...(link && { [cut.kind]: link.url }) }
  return {
    stores: {
      postgres: addresses.postgres,
      impatient,
      ...(isSilentStore && { answerTimeout: ANSWER }),
      ...(addresses.rabbitmq !== undefined && { rabbitmq: addresses.rabbitmq }),
      ...(addresses.mongodb !== undefined && { mongodb: addresses.mongodb }),
    },
    store,
    queues: [store],
    waiting: async () => (await queues?.counts()) ?? new Map(),
    async view(view) {
      if (!documents) return store.all<ViewRow>(ROWS.replace('VIEW', view))
      const found = await documents
        .db()
        .collection<{ _id: string } & Omit<ViewRow, 'id'>>(view)
        .find({ '_obverse.live': true, name: { $exists: true } })
        .toArray()
      return found.map(({ _id, count, total }) => ({ id: _id, count, total }))
    },
    async checkpoints() {
      const rows = documents
        ? await documents.db().collection<Checkpoint & { _id: string }>('obverse_checkpoints').find().toArray()
        : await store.all<Checkpoint>('SELECT name AS _id, position FROM obverse_checkpoint')
      return new Map(rows.map(({ _id, position }) => [_id, position]))
    },
    ...(management !== undefined && { management }),
    struck,
    links: link ? { [cut.kind]: link } : {},
    async close(keep) {
      await link?.close()
      await Promise.all([store.close(), queues?.close(), documents?.close()])
      if (!keep) await Promise.all(spaces.map(({ home }) => dropSpace(home, name)))
      forget(name)
      return [...urls.values()].join(' ')
    },
  }
}

const ROWS = `SELECT id, (data ->> 'count')::int AS count, (data ->> 'total')::int AS total FROM obverse_view_VIEW_1
  WHERE live AND data ->> 'name' IS NOT NULL`

interface Checkpoint {
  readonly _id: string
  readonly position: number
}

/** Milliseconds after which a broker does not answer, as one that is frozen. */
const PATIENCE = 1_000

/** Counts by the server itself, not by the figures of its HTTP API, which are a second old. */
function queueCounts(url: string, partitions: number) {
  const of = (channel: string) =>
    partitions === 1 ? [channel] : Array.from({ length: partitions }, (_, index) => `${channel}.${index}`)
  const names = [ALONE, SHARED].flatMap(of).concat('failed_messages')
  let connection: Promise<ChannelModel> | undefined
  const open = async () => {
    const model = await connect(url, { noDelay: true, timeout: PATIENCE } as object)
    model.on('error', () => {})
    model.once('close', () => {
      connection = undefined
    })
    return model
  }
  const ask = async (): Promise<ReadonlyMap<string, number>> => {
    connection ??= open()
    const model = await connection
    const channel = await model.createChannel()
    channel.on('error', () => {})
    const counts = await Promise.all(names.map((name) => channel.checkQueue(name)))
    await channel.close()
    return new Map(counts.map(({ queue, messageCount }) => [queue, messageCount]))
  }
  const silence = async () => {
    await pause(PATIENCE)
    throw new Error(`the broker does not answer within ${PATIENCE} ms`)
  }
  return {
    async counts(): Promise<ReadonlyMap<string, number>> {
      try {
        return await Promise.race([ask(), silence()])
      } catch (error) {
        connection?.then((model) => model.close()).catch(() => {})
        connection = undefined
        throw error
      }
    },
    async close() {
      await (await connection?.catch(() => undefined))?.close().catch(() => {})
    },
  }
}
