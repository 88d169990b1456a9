import type { Broker, ChannelDeclaration, PublishOutcome, Runtime } from 'obverse'
import { enqueueBody } from './append.ts'
import { QueueBroker } from './broker.ts'
import type { Connection } from './connection.ts'
import type { OpenFile } from './environment.ts'
import { appliedSteps, applyStep, assertNot } from './migrate.ts'
import { closeFile, openFile } from './open-file.ts'
import { type SqliteOptions, settings } from './options.ts'
import { Owners, queueTakings } from './owners.ts'
import { BROKER_STEP, STEPS } from './schema.ts'
import { Wake } from './wake.ts'

const DECLARE = 'INSERT INTO obverse_channel (name) VALUES (?) ON CONFLICT DO NOTHING'
const DECLARED = 'SELECT name FROM obverse_channel'

/**
 * A broker in a file of its own, for applications whose processes share a machine but not their store, and for trying
 * out what changes with a broker apart: the relay publishes, a message is confirmed once it is on disk, to a channel
 * that nobody declared it is returned, and a delivery is settled by its acknowledgement alone.
 *
 * Where the store is a SQLite file too, leave it out: the store's own queue needs no relay.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` for a bad option, and on opening for a file that holds a store; then
 * as `sqlite()`
 *
 * @example
 * const app = createApp({ handlers, store: sqlite('data/orders.db'), broker: sqliteBroker('data/queues.db') })
 */
export function sqliteBroker(
  file: string,
  options: SqliteOptions = {},
): (environment: { readonly runtime: Runtime }) => Promise<Broker> {
  const checked = settings(options)
  return async ({ runtime }) => {
    const opened = await openFile(file, checked, runtime)
    const broker = new SeparateBroker(opened)
    try {
      await broker.prepare()
    } catch (error) {
      await broker.close()
      throw error
    }
    return broker
  }
}

class SeparateBroker extends QueueBroker {
  override readonly name: string = 'sqlite broker'
  override readonly sharesStore: boolean = false
  readonly #file: OpenFile
  readonly #owners: Owners
  readonly #wake: Wake
  #closing: Promise<void> | undefined

  constructor(file: OpenFile) {
    const owners = new Owners(file, [queueTakings])
    const wake = new Wake(file, file.writer.file)
    super(file, owners, () => wake.start())
    this.#file = file
    this.#owners = owners
    this.#wake = wake
    file.writer.onNews = () => this.wake()
  }

  async prepare(): Promise<void> {
    const { reader, writer } = this.#file
    const applied = await reader.read(appliedSteps)
    for (const { name } of STEPS) assertNot(applied, name, `${writer.file} holds a store`)
    if (!applied.has(BROKER_STEP.name)) {
      await applyStep(this.#file, BROKER_STEP.name, () => writer.connection.db.exec(BROKER_STEP.statements.join(';\n')))
    }
    await super.declare((await reader.read(declared)).map((name) => ({ name })))
  }

  override async declare(channels: readonly ChannelDeclaration[]): Promise<void> {
    const { reader, writer } = this.#file
    const known = new Set(await reader.read(declared))
    const missing = channels.filter(({ name }) => !known.has(name))
    if (missing.length > 0) {
      await writer.submit(() => {
        for (const { name } of missing) writer.connection.run(DECLARE, name)
      })
    }
    await super.declare(channels)
  }

  /** One commit for the batch: all that can be routed, or nothing. */
  override publish(messages: Parameters<Broker['publish']>[0]): Promise<readonly PublishOutcome[]> {
    const { writer, runtime } = this.#file
    const { connection: c } = writer
    return writer.submit(() => {
      const known = new Set(declared(c))
      return messages.map(({ channel, messageId, key, body }): PublishOutcome => {
        if (!known.has(channel))
          return { messageId, kind: 'returned', reason: `nobody declared the channel ${channel}` }
        enqueueBody(c, channel, messageId, key, body, runtime.now())
        return { messageId, kind: 'confirmed' }
      })
    })
  }

  override close(): Promise<void> {
    this.#closing ??= closeFile(this.#file, this.#wake, { close: () => super.close() }, this.#owners)
    return this.#closing
  }
}

function declared(c: Connection): string[] {
  return c.all<{ name: string }>(DECLARED).map(({ name }) => name)
}
