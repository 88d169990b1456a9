import {
  type Entry,
  type LoadedStream,
  ObverseError,
  type Outcome,
  type SqlConnection,
  type StreamRequest,
  type Transaction,
  type Transactions,
  type Unit,
} from 'obverse'
import { applyUnit, keepAnswer } from './append.ts'
import { checkClaim, checkEntry } from './entry.ts'
import { loadEvents } from './event-store.ts'
import { closed, type Instance } from './instance.ts'

/**
 * Commits are instantaneous and come one after another, so that each sees the one before; works of `transact` run side
 * by side and meet at their commits.
 */
export class MemoryTransactions implements Transactions {
  readonly hasTables = false
  readonly knowsPosition: boolean
  readonly #instance: Instance

  constructor(instance: Instance) {
    this.#instance = instance
    this.knowsPosition = !instance.data.events.relay
  }

  async enter(entry: Entry): Promise<Exclude<Outcome, { kind: 'committed' }> | undefined> {
    if (this.#instance.closed) throw closed()
    return checkEntry(this.#instance, entry)
  }

  commit(entry: Entry, unit: Unit): Promise<Outcome> {
    const { events } = this.#instance.data
    return this.#run(
      entry,
      () => unit,
      unit.events.map(() => events.draw()),
    )
  }

  decide(entry: Entry, request: StreamRequest, decision: (loaded: LoadedStream) => Unit): Promise<Outcome> {
    return this.#run(entry, () => decision(this.#load(request)), [])
  }

  async transact(entry: Entry, work: (tx: Transaction) => Promise<Unit>): Promise<Outcome> {
    const drawn = [this.#instance.data.events.draw()]
    const tx: Transaction = { connection: noTables, signal: new AbortController().signal }
    let unit: Unit
    try {
      unit = await work(tx)
    } catch (error) {
      return this.#run(
        entry,
        () => {
          throw error
        },
        drawn,
      )
    }
    return this.#run(entry, () => unit, drawn)
  }

  /** One synchronous stretch, unless a test asked to be told of steps or another commit waits for its views. */
  #run(entry: Entry, make: () => Unit, drawn: readonly number[]): Promise<Outcome> {
    const { runtime, data } = this.#instance
    if (runtime.reach || data.turn) return this.#runInTurn(entry, make, drawn)
    try {
      const outcome = this.#now(entry, make, drawn)
      this.#sendUnsent()
      return outcome instanceof Promise ? this.#hold(outcome) : Promise.resolve(outcome)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async #runInTurn(entry: Entry, make: () => Unit, drawn: readonly number[]): Promise<Outcome> {
    const { runtime, data } = this.#instance
    await runtime.reach?.('commit.before')
    while (data.turn) await data.turn
    const outcome = this.#now(entry, make, drawn)
    const ended = outcome instanceof Promise ? await this.#hold(outcome) : outcome
    await runtime.reach?.('commit.after')
    this.#sendUnsent()
    return ended
  }

  /** Other commits wait until this one is done. */
  #hold(outcome: Promise<Outcome>): Promise<Outcome> {
    const { data } = this.#instance
    const over = () => {
      data.turn = undefined
    }
    data.turn = outcome.then(over, over)
    return outcome
  }

  #now(entry: Entry, make: () => Unit, drawn: readonly number[]): Outcome | Promise<Outcome> {
    const instance = this.#instance
    if (instance.closed) throw closed()
    if (entry.delivery || entry.claim) {
      const ended = checkEntry(instance, entry)
      if (ended) return ended
    }
    let unit: Unit
    try {
      unit = make()
    } catch (error) {
      const answer = entry.claim && entry.refusal?.(error)
      if (entry.claim && answer && !checkClaim(instance, entry.claim)) keepAnswer(instance, entry.claim, answer)
      throw error
    }
    return applyUnit(instance, entry, unit, drawn)
  }

  #load({ key, types, snapshot: wanted }: StreamRequest): LoadedStream {
    const { data, environment } = this.#instance
    const kept = wanted && data.snapshots.get(`${wanted.name}\n${key}`)
    if (kept?.version !== wanted?.version || !kept) return loadEvents(data, environment.registry, key, 0, types)
    const snapshot = { seq: kept.seq, state: JSON.parse(kept.state) as unknown }
    return { ...loadEvents(data, environment.registry, key, kept.seq, types), snapshot }
  }

  #sendUnsent(): void {
    const { unsent } = this.#instance
    this.#instance.unsent = undefined
    unsent?.()
  }
}

function noTables(): SqlConnection {
  throw new ObverseError(
    'CONFIGURATION_INVALID',
    'The memory store has no tables, so ctx.db is not there; use sqlite() of obverse/sqlite, or another SQL store',
  )
}
