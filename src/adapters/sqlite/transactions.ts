import type { Entry, LoadedStream, Outcome, StreamRequest, Transaction, Transactions, Unit } from 'obverse'
import type { UnitWriter } from './append.ts'
import type { Connection } from './connection.ts'
import { type Ended, type EntryCheck, LOST } from './entry.ts'
import type { Environment } from './environment.ts'
import { loadStream } from './event-store.ts'
import { Kept } from './job.ts'
import type { Tables } from './tables.ts'
import { Turn, Unwound } from './turn.ts'

const SAVE = 'SAVEPOINT obverse_work'
const RELEASE = 'RELEASE obverse_work'
const UNDO = 'ROLLBACK TO obverse_work'

/** Thrown to take back what a mere look has written. */
const GO_ON = Symbol('go on')

type Result = Outcome | Kept

/** Units of work, each a job of the writer: synchronous where everything is known, a turn where a handler writes. */
export class SqliteTransactions implements Transactions {
  readonly hasTables = true
  readonly knowsPosition = true
  readonly #environment: Environment
  readonly #entries: EntryCheck
  readonly #units: UnitWriter
  readonly #tables: Tables
  readonly #settled: (entry: Entry, lost: boolean) => void

  constructor(
    environment: Environment,
    entries: EntryCheck,
    units: UnitWriter,
    tables: Tables,
    settled: (entry: Entry, lost: boolean) => void,
  ) {
    this.#environment = environment
    this.#entries = entries
    this.#units = units
    this.#tables = tables
    this.#settled = settled
  }

  async enter(entry: Entry): Promise<Ended | undefined> {
    const ended = await this.#environment.reader.read((c) => this.#entries.peek(c, entry))
    if (!ended || ended.kind === 'replayed') return ended
    if (ended.kind === 'lost') {
      this.#settled(entry, true)
      return LOST
    }
    return this.#settleEnded(entry)
  }

  commit(entry: Entry, unit: Unit): Promise<Outcome> {
    return this.#submit(entry, (c) => this.#entries.enter(c, entry) ?? this.#units.apply(c, entry, unit))
  }

  decide(entry: Entry, request: StreamRequest, decision: (loaded: LoadedStream) => Unit): Promise<Outcome> {
    return this.#submit(entry, (c): Result | Promise<Result> => {
      const guarded = this.#guard(c, entry)
      const ended = this.#entries.enter(c, entry)
      if (ended) return ended
      const loaded = loadStream(c, this.#environment.registry, request)
      let unit: Unit
      try {
        unit = decision(loaded)
      } catch (error) {
        return this.#refused(c, entry, error, guarded)
      }
      return this.#units.apply(c, entry, unit, { key: request.key, version: loaded.version })
    })
  }

  transact(entry: Entry, work: (tx: Transaction) => Promise<Unit>): Promise<Outcome> {
    return new Promise<Outcome>((resolve, reject) => {
      const turn: Turn = new Turn(this.#tables, entry.name, this.#environment.settings.turnLimit, () => {
        this.#submit(entry, (c) => this.#inTurn(c, entry, turn, done), turn).then(resolve, reject)
      })
      const done = started(work, turn)
      done.then(
        (unit) => {
          if (turn.closeUnused()) this.commit(entry, unit).then(resolve, reject)
        },
        (error) => {
          if (turn.closeUnused()) this.#failedEarly(entry, error).then(resolve, reject)
        },
      )
    })
  }

  /** The part of a handler from its first statement to its end, with the transaction open for it alone. */
  #inTurn(c: Connection, entry: Entry, turn: Turn, done: Promise<Unit>): Result | Promise<Result> {
    const guarded = this.#guard(c, entry)
    const ended = this.#entries.enter(c, entry)
    if (ended) {
      turn.unwind(new Unwound())
      return ended
    }
    turn.open()
    return this.#untilDone(turn, done).then(
      (unit) => {
        turn.assertWhole()
        return this.#units.apply(c, entry, unit)
      },
      (error) => this.#refused(c, entry, error, guarded),
    )
  }

  #untilDone(turn: Turn, done: Promise<Unit>): Promise<Unit> {
    const { runtime, settings } = this.#environment
    return new Promise<Unit>((resolve, reject) => {
      const cancel = runtime.after(settings.turnLimit, () => {
        turn.stop()
        reject(turn.tooSlow())
      })
      done.then(resolve, reject).finally(() => {
        cancel()
        turn.end()
      })
    })
  }

  /** A handler that failed before it wrote: its message may have been handled before, then nothing failed. */
  #failedEarly(entry: Entry, error: unknown): Promise<Outcome> {
    if (!entry.delivery && !entry.claim) return Promise.reject(error)
    return this.#submit(entry, (c) => {
      const guarded = this.#guard(c, entry)
      return this.#entries.enter(c, entry) ?? this.#refused(c, entry, error, guarded)
    })
  }

  /** A savepoint before the entry, where a refusal may have to be kept in place of the work. */
  #guard(c: Connection, { claim, refusal }: Entry): boolean {
    if (!claim || !refusal) return false
    c.run(SAVE)
    return true
  }

  #refused(c: Connection, entry: Entry, error: unknown, guarded: boolean): Kept {
    const answer = guarded && c.db.isTransaction ? entry.refusal?.(error) : undefined
    if (!answer || !entry.claim) throw error
    c.run(UNDO)
    c.run(RELEASE)
    this.#entries.keep(c, entry.claim, answer)
    return new Kept(error)
  }

  async #settleEnded(entry: Entry): Promise<Ended | undefined> {
    try {
      return (await this.#submit(entry, (c) => {
        const ended = this.#entries.enter(c, entry)
        if (ended) return ended
        throw GO_ON
      })) as Ended
    } catch (error) {
      if (error === GO_ON) return undefined
      throw error
    }
  }

  #submit(entry: Entry, run: (c: Connection) => Result | Promise<Result>, turn?: Turn): Promise<Outcome> {
    const { writer } = this.#environment
    const job = writer.submit<Outcome>(() => run(writer.connection), {
      once: turn !== undefined,
      committed: (outcome) => {
        if (entry.delivery) this.#settled(entry, outcome.kind === 'lost')
        this.#units.writeLater()
      },
    })
    // a turn that never came: the statements that wait for it must not wait for ever
    if (turn) job.catch((error) => turn.unwind(error))
    return job
  }
}

function started(work: (tx: Transaction) => Promise<Unit>, turn: Turn): Promise<Unit> {
  try {
    return Promise.resolve(work(turn))
  } catch (error) {
    return Promise.reject(error)
  }
}
