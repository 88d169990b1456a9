import { type Collection, type Db, type DbOptions, type Document, MongoClient } from 'mongodb'
import { ObverseError, type Protection, type Runtime } from 'obverse'
import { type Address, withoutCredentials } from './address.ts'
import { closed, storeError } from './errors.ts'
import { type Losses, lossesOf } from './losses.ts'
import { readConcern, readServer, type Server, writeConcern } from './server.ts'

/** How values come and go, and from whom, whatever a URL or somebody else's client says. */
const PLAIN: DbOptions = {
  readPreference: 'primary',
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: false,
  useBigInt64: false,
  ignoreUndefined: false,
  serializeFunctions: false,
  raw: false,
}

/**
 * A database as this adapter uses it. Nothing is connected by making one: the driver connects at the first use and
 * again after every loss.
 */
export class Connection {
  readonly runtime: Runtime
  readonly db: Db
  /** Without credentials. */
  readonly place: string
  readonly #own: MongoClient | undefined
  readonly #clean: (text: string) => string
  readonly #losses: Losses
  #connected = false
  #server: { readonly losses: number; readonly said: Promise<Server> } | undefined
  #closed = false

  constructor(to: Address | Db, runtime: Runtime) {
    this.runtime = runtime
    if ('url' in to) {
      this.#own = new MongoClient(to.url, to.clientOptions)
      this.db = this.#own.db(to.database, PLAIN)
      this.place = to.place
      this.#clean = (text) => withoutCredentials(text, to.url)
    } else {
      this.db = to.client.db(to.databaseName, PLAIN)
      this.place = to.databaseName
      this.#clean = (text) => text
    }
    this.#losses = lossesOf(this.db.client)
  }

  /** Grows whenever a server was lost: what was known of it is to be looked up again, for another may have come back. */
  get losses(): number {
    return this.#losses.count
  }

  /** What the server is, asked once until it is lost. */
  async server(): Promise<Server> {
    const { losses } = this
    if (this.#server?.losses !== losses) this.#server = { losses, said: readServer(this.db) }
    const { said } = this.#server
    try {
      return await said
    } catch (error) {
      if (this.#server?.said === said) this.#server = undefined
      throw error
    }
  }

  /** @throws {ObverseError} `CONFIGURATION_INVALID` for a server before 5.0 */
  async collection<T extends Document>(name: string): Promise<Collection<T>> {
    const server = await this.server()
    if (!server.known) {
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        `MongoDB ${this.place} is older than 5.0, which obverse/mongodb needs; upgrade the server`,
      )
    }
    return this.db.collection<T>(name, { writeConcern: writeConcern(server), readConcern: readConcern(server) })
  }

  /** Runs `work` and says in our words what went wrong. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closed(this.place)
    try {
      await this.#connect()
      return await work()
    } catch (error) {
      const ours = storeError(error, this.place, this.#clean)
      if (ours === error) throw error
      this.#losses.count += 1
      // the driver calls a connection closed, too, that never came about
      throw this.#closed ? closed(this.place, error) : ours
    }
  }

  /** Until it has worked once: a client that connects by itself and fails the first time never tries again. */
  async #connect(): Promise<void> {
    if (this.#connected) return
    await this.db.client.connect()
    this.#connected = true
  }

  without(protection: Protection): boolean {
    return this.runtime.without?.has(protection) === true
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#own?.close()
  }
}
