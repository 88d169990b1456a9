import { envelopesOf, type JoinedUnit, ObverseError, type SqlConnection, type Unit } from 'obverse'
import { Connection } from './connection.ts'
import type { Entrance } from './entry.ts'
import { type Environment, guards } from './environment.ts'
import { JoinedClient, originalOf } from './joined-client.ts'
import { lockKeys } from './keys.ts'
import { admit } from './member.ts'
import { all, Standing } from './standing.ts'
import { statement } from './statement.ts'
import type { PostgresViews } from './view.ts'
import { Writes } from './writes.ts'

/** Which database this is, and whether our tables are in its search path. */
const PLACE = statement(
  'join-place',
  `SELECT concat_ws('/', (SELECT oid FROM pg_database WHERE datname = current_database()),
     to_regclass('obverse_key')::oid)::text AS place, pg_current_xact_id_if_assigned()::text AS xact`,
)
const ASSIGN = statement('join-assign', 'SELECT pg_current_xact_id()::text AS xact')

/** Writes units into transactions that the application has opened by its own means. */
export class Joining {
  readonly #environment: Environment
  readonly #entrance: Entrance
  readonly #views: PostgresViews
  readonly #versions: boolean
  #place: Promise<string | undefined> | undefined

  constructor(environment: Environment, entrance: Entrance, views: PostgresViews) {
    this.#environment = environment
    this.#entrance = entrance
    this.#views = views
    this.#versions = guards(environment, 'expected-version')
  }

  async join(transaction: SqlConnection, unit: Unit): Promise<JoinedUnit> {
    if (transaction.dialect !== 'postgres') throw wrong(`a transaction of ${transaction.dialect}, not of PostgreSQL`)
    const { sessions, news } = this.#environment
    const connection = new Connection(new JoinedClient(transaction) as never, sessions.server)
    try {
      await this.#assertOpenHere(connection)
      return { events: await this.#write(connection, unit), committed: news }
    } catch (error) {
      throw originalOf(error)
    }
  }

  async #write(connection: Connection, unit: Unit): Promise<JoinedUnit['events']> {
    const writes = new Writes(this.#environment)
    const seqs = await lockKeys(connection, [unit])
    const outcome = admit({ entry: ENTRY, unit }, this.#entrance, new Standing(), seqs, writes, this.#versions)
    if (outcome?.kind !== 'committed') return []
    await all(writes.send(connection))
    if (unit.project && outcome.events.length > 0) {
      await unit.project(
        envelopesOf(unit.events, outcome.events, this.#environment.registry),
        this.#views.within(connection),
      )
    }
    return outcome.events
  }

  /**
   * A pool would commit each statement by itself, on any of its connections: then no transaction goes on from one statement to
   * the next. And the events must be where the relay of this store looks for them.
   */
  async #assertOpenHere(connection: Connection): Promise<void> {
    this.#place ??= this.#environment.reader.get<{ place: string }>(PLACE).then((row) => row?.place)
    const own = await this.#place.catch((error: unknown) => {
      this.#place = undefined
      throw error
    })
    const look = () => connection.get<{ place: string; xact: string | null }>(PLACE)
    const first = await look()
    if (first?.place !== own) throw wrong('a transaction in another database or schema than that of the store')
    if (first?.xact) return
    await connection.get(ASSIGN)
    if ((await look())?.xact) return
    throw wrong('a connection without an open transaction: each statement was committed by itself')
  }
}

const ENTRY = { name: 'within' }

function wrong(what: string): ObverseError {
  return new ObverseError(
    'CONFIGURATION_INVALID',
    `app.within() was given ${what}; give it join(tx) with the transaction in which your own statements run`,
  )
}
