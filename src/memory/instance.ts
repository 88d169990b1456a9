import { ObverseError, type Protection, type Runtime, type StoreEnvironment } from 'obverse'
import type { Data } from './data.ts'
import type { TakeOptions } from './queue.ts'
import { type Owner, owner } from './rows.ts'

/** Milliseconds of {@link Runtime.elapsed} after which what a silent process has taken is taken by others. */
export const LEASE = 5_000

/**
 * One opened store: a process, as far as the data can tell. While it has taken anything it says that it lives; when
 * it is closed, or its timers stop, what it has taken goes back to its place.
 */
export class Instance {
  readonly data: Data
  readonly runtime: Runtime
  readonly environment: StoreEnvironment
  closed = false
  /** Canary `one-commit`: outbox rows that are still to be written. */
  unsent: (() => void) | undefined
  readonly #owners = new Set<Owner>()
  #cancelBeat: (() => void) | undefined

  constructor(data: Data, environment: StoreEnvironment) {
    this.data = data
    this.environment = environment
    this.runtime = environment.runtime
  }

  get now(): number {
    return this.runtime.now()
  }

  lacks(protection: Protection): boolean {
    return this.runtime.without?.has(protection) ?? false
  }

  /** How queue rows are taken, by consumers and by the relay. */
  taking(single: boolean): TakeOptions {
    return {
      single,
      stamped: single,
      anyLane: this.lacks(single ? 'one-unconfirmed' : 'lane-order'),
    }
  }

  /** The owner of this name, alive from now on. */
  owner(id: string): Owner {
    const { data, runtime } = this
    const expires = runtime.elapsed() + LEASE
    let known = data.owners.get(id)
    if (known?.home !== this) {
      if (known) this.#drop(known, true)
      known = owner(id, this, expires)
      data.owners.set(id, known)
    }
    known.expires = expires
    this.#owners.add(known)
    this.#beatLater()
    return known
  }

  /** Everything it has goes back to its place. */
  leave(leaving: Owner): void {
    this.#owners.delete(leaving)
    this.#drop(leaving, false)
  }

  /** Takes from owners whose process has been silent for too long. */
  reap(): void {
    const now = this.runtime.elapsed()
    for (const known of this.data.owners.values()) {
      if (known.home !== this && known.expires < now) this.#drop(known, true)
    }
  }

  close(): void {
    this.closed = true
    this.#cancelBeat?.()
    for (const mine of this.#owners) this.#drop(mine, true)
    this.#owners.clear()
  }

  /** Every method of `port`, as long as the store is open. */
  whileOpen<T extends object>(port: T): T {
    const methods = Object.entries(port).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'function'
        ? (...given: unknown[]): unknown => (this.closed ? Promise.reject(closed()) : value(...given))
        : value,
    ])
    return Object.fromEntries(methods) as T
  }

  #drop(dropped: Owner, died: boolean): void {
    dropped.alive = false
    if (this.data.owners.get(dropped.id) === dropped) this.data.owners.delete(dropped.id)
    const rows = [...dropped.rows]
    const held = [...dropped.held]
    for (const row of rows) row.queue.giveBack(row)
    for (const entry of held) this.data.held.release(entry, this.now, died)
    if (held.length > 0) this.data.notify()
  }

  #beatLater(): void {
    if (this.#cancelBeat || this.closed) return
    this.#cancelBeat = this.runtime.after(LEASE / 3, () => {
      this.#cancelBeat = undefined
      for (const mine of this.#owners) {
        if (mine.alive && (mine.rows.size > 0 || mine.held.size > 0 || mine.subscribed)) {
          mine.expires = this.runtime.elapsed() + LEASE
        } else this.leave(mine)
      }
      this.reap()
      if (this.#owners.size > 0) this.#beatLater()
    })
  }
}

export function closed(): ObverseError {
  return new ObverseError('STORE_CLOSED', 'The memory store has been closed; open it again')
}
