import {
  type Entry,
  isObverseError,
  type JoinedUnit,
  type LoadedStream,
  type Outcome,
  type SqlConnection,
  type StreamRequest,
  type Transaction,
  type Transactions,
  type Unit,
} from 'obverse'
import { type Ended, LOST } from './entry.ts'
import type { Environment } from './environment.ts'
import type { Streams } from './event-store.ts'
import type { HandlerTransactions } from './handler-transaction.ts'
import type { Joining } from './joining.ts'
import type { Looks } from './looks.ts'
import { Turn, Unwound } from './turn.ts'
import type { Units } from './units.ts'

/** Times the check of an entry is run again when somebody else was first. */
const TRIES = 5

/** Units of work: known ones go with others in a group, handlers that use tables have a transaction of their own. */
export class PostgresTransactions implements Transactions {
  readonly hasTables = true
  readonly knowsPosition = false
  readonly #environment: Environment
  readonly #looks: Looks
  readonly #streams: Streams
  readonly #units: Units
  readonly #handlers: HandlerTransactions
  readonly #joining: Joining
  readonly #settled: (entry: Entry, lost: boolean) => void
  /** Decisions of one key follow each other in this process: the second sees what the first has committed. */
  readonly #deciding = new Map<string, Promise<unknown>>()

  constructor(
    environment: Environment,
    looks: Looks,
    streams: Streams,
    units: Units,
    handlers: HandlerTransactions,
    joining: Joining,
    settled: (entry: Entry, lost: boolean) => void,
  ) {
    this.#environment = environment
    this.#looks = looks
    this.#streams = streams
    this.#units = units
    this.#handlers = handlers
    this.#joining = joining
    this.#settled = settled
  }

  async enter(entry: Entry): Promise<Ended | undefined> {
    const { ended } = await this.#looks.at(entry)
    if (!ended || ended.kind === 'replayed') return ended
    if (ended.kind === 'lost') {
      this.#settled(entry, true)
      return LOST
    }
    return this.#ending(entry)
  }

  async commit(entry: Entry, unit: Unit): Promise<Outcome> {
    const { reach } = this.#environment.runtime
    if (reach) await reach('commit.before')
    const outcome = unit.project
      ? await this.#again(() => this.#handlers.run(entry, async () => unit, 'read committed'))
      : ((await this.#units.submit({ entry, unit })) as Outcome)
    if (reach) await reach('commit.after')
    if (entry.delivery) this.#settled(entry, outcome.kind === 'lost')
    return outcome
  }

  async decide(entry: Entry, request: StreamRequest, decision: (loaded: LoadedStream) => Unit): Promise<Outcome> {
    const before = this.#deciding.get(request.key)
    const mine = before
      ? before.then(() => this.#decide(entry, request, decision))
      : this.#decide(entry, request, decision)
    const ended = mine.catch(() => {})
    this.#deciding.set(request.key, ended)
    try {
      return await mine
    } finally {
      if (this.#deciding.get(request.key) === ended) this.#deciding.delete(request.key)
    }
  }

  async transact(entry: Entry, work: (tx: Transaction) => Promise<Unit>): Promise<Outcome> {
    const { settings, sessions } = this.#environment
    return new Promise<Outcome>((resolve, reject) => {
      const turn: Turn = new Turn(entry.name, settings.turnLimit, sessions.server, () => {
        // the first statement may come before `started` has returned
        queueMicrotask(() => this.#inTurn(entry, turn, done).then(resolve, reject))
      })
      const done = started(work, turn)
      done.then(
        (unit) => {
          if (turn.closeUnused()) this.commit(entry, unit).then(resolve, reject)
        },
        (error) => {
          if (turn.closeUnused()) this.#failed(entry, error).then(resolve, reject)
        },
      )
    })
  }

  join(connection: SqlConnection, unit: Unit): Promise<JoinedUnit> {
    return this.#joining.join(connection, unit)
  }

  async #decide(entry: Entry, request: StreamRequest, decision: (loaded: LoadedStream) => Unit): Promise<Outcome> {
    const loaded = await this.#streams.loadFor(request)
    let unit: Unit
    try {
      unit = decision(loaded)
    } catch (error) {
      return this.#failed(entry, error)
    }
    const expected = new Map([[request.key, loaded.version], ...(unit.expected ?? [])])
    return this.commit(entry, { ...unit, expected })
  }

  /** The part of a handler from its first statement to its end. */
  async #inTurn(entry: Entry, turn: Turn, done: Promise<Unit>): Promise<Outcome> {
    const { reach } = this.#environment.runtime
    let entered = false
    try {
      const outcome = await this.#handlers.run(entry, async (connection, restart) => {
        entered = true
        turn.open(connection, restart)
        const unit = await this.#untilDone(turn, done)
        turn.assertWhole()
        if (reach) await reach('commit.before')
        return unit
      })
      if (!entered) turn.unwind(new Unwound())
      if (reach) await reach('commit.after')
      this.#settled(entry, outcome.kind === 'lost')
      return outcome
    } catch (error) {
      turn.unwind(error)
      if (!entered) throw error
      return this.#failed(entry, error)
    }
  }

  async #untilDone(turn: Turn, done: Promise<Unit>): Promise<Unit> {
    const { runtime, settings } = this.#environment
    let cancel = () => {}
    const late = new Promise<never>((_, reject) => {
      cancel = runtime.after(settings.turnLimit, () => {
        turn.stop()
        reject(turn.tooSlow())
      })
    })
    try {
      return await Promise.race([done, late])
    } finally {
      cancel()
      await turn.end()
    }
  }

  /**
   * The work or the decision threw. Its message may have been handled before, then nothing failed; a refusal of a claim keeps
   * its answer, and is thrown.
   */
  async #failed(entry: Entry, error: unknown): Promise<Outcome> {
    if (isObverseError(error, 'CONFLICT') || (isObverseError(error) && error.kind === 'outage')) throw error
    if (!entry.delivery && !entry.claim) throw error
    const keep = entry.claim && entry.refusal?.(error)
    const outcome = await this.#units.submit({ entry, ...(keep && { keep }) })
    if (!outcome) throw error
    this.#settled(entry, outcome.kind === 'lost')
    return outcome
  }

  /** Settles an entry that a look has found to be over. Nothing is written should it be clear after all. */
  async #ending(entry: Entry): Promise<Ended | undefined> {
    const outcome = await this.#units.submit({ entry })
    if (outcome) this.#settled(entry, outcome.kind === 'lost')
    return outcome as Ended | undefined
  }

  /** A unit that fills inline views has no round of its own in which it could be tried again. */
  async #again(run: () => Promise<Outcome>): Promise<Outcome> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await run()
      } catch (error) {
        if (!isObverseError(error, 'CONFLICT') || tries >= TRIES) throw error
      }
    }
  }
}

function started(work: (tx: Transaction) => Promise<Unit>, turn: Turn): Promise<Unit> {
  try {
    return Promise.resolve(work(turn))
  } catch (error) {
    return Promise.reject(error)
  }
}
