import { type Collection, type Db, type Document, MongoClient } from 'mongodb'
import { ObverseError, type Protection, type Runtime } from 'obverse'
import { type Address, withoutSecrets } from './address.ts'
import { storeError } from './errors.ts'
import { readConcern, readServer, type Server, writeConcern } from './server.ts'

/** Where rows go, whatever a URL or somebody else's client says. */
const PLAIN = {
  readPreference: 'primary',
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: false,
  useBigInt64: false,
  ignoreUndefined: false,
  serializeFunctions: false,
  raw: false,
} as const

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
  #server: Promise<Server> | undefined
  #losses = 0
  #closed = false

  constructor(to: Address | Db, runtime: Runtime) {
    this.runtime = runtime
    if ('url' in to) {
      this.#own = new MongoClient(to.url, to.clientOptions)
      this.db = this.#own.db(to.database)
      this.place = to.place
      this.#clean = (text) => withoutSecrets(text, to.url)
    } else {
      this.db = to
      this.place = to.databaseName
      this.#clean = (text) => text
    }
    const { client } = this.db
    const lost = () => this.#lose()
    client.on('connectionPoolCleared', lost)
    client.on('connectionClosed', ({ reason }) => {
      if (reason === 'error' || reason === 'stale') lost()
    })
  }

  /** Grows whenever a server was lost: what was known of it is to be looked up again, for another may have come back. */
  get losses(): number {
    return this.#losses
  }

  /** What the server is, asked once until it is lost. */
  async server(): Promise<Server> {
    this.#server ??= readServer(this.db)
    const asked = this.#server
    try {
      return await asked
    } catch (error) {
      if (this.#server === asked) this.#server = undefined
      throw error
    }
  }

  /** @throws {ObverseError} `CONFIGURATION_INVALID` for a server before 5.0 */
  async collection<T extends Document>(name: string): Promise<Collection<T>> {
    const server = await this.server()
    if (!server.known) {
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        `MongoDB ${this.place} is older than 5.0; obverse/mongodb needs 5.0`,
      )
    }
    const concerns = { writeConcern: writeConcern(server), readConcern: readConcern(server) }
    return this.db.collection<T>(name, { ...PLAIN, ...concerns })
  }

  /** Runs `work` and says in our words what went wrong. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new ObverseError('STORE_CLOSED', `MongoDB ${this.place} has been closed; open it again`)
    try {
      return await work()
    } catch (error) {
      const ours = storeError(error, this.place, this.#clean)
      if (ours !== error) this.#lose()
      throw ours
    }
  }

  without(protection: Protection): boolean {
    return this.runtime.without?.has(protection) === true
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#own?.close()
  }

  #lose(): void {
    this.#losses += 1
    this.#server = undefined
  }
}
