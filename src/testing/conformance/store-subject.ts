import { createRegistry, type OpenStore, type Protection, type Registry, type Runtime, type Store } from 'obverse'
import { definitions } from './messages.ts'
import { type MovableRuntime, movableRuntime } from './real-clock.ts'

export interface OpenOptions {
  /** Default false: the outbox rows are the queue rows. */
  readonly relayed?: boolean
  readonly registry?: Registry
  readonly reach?: NonNullable<Runtime['reach']>
}

/** What a case is given: new, empty data, opened as often as it likes, and a clock. */
export class StoreSubject {
  readonly #store: Store
  readonly #without: ReadonlySet<Protection> | undefined
  readonly #opened: OpenStore[] = []
  readonly #clock = { offset: 0, all: new Set<() => void>() }
  /** The clock that all stores of this subject share. */
  readonly runtime: MovableRuntime

  constructor(store: Store, without?: ReadonlySet<Protection>) {
    this.#store = store
    this.#without = without
    this.runtime = this.process()
  }

  /** A runtime of its own, with the same clocks: what another process would have. */
  process(reach?: Runtime['reach']): MovableRuntime {
    const without = this.#without
    return movableRuntime({ ...(reach && { reach }), ...(without && { without }) }, this.#clock)
  }

  /** Opens the data, once more if it is open: each opened store is a process. */
  async open(options: OpenOptions = {}, runtime?: Runtime): Promise<OpenStore> {
    const { relayed = false, registry = createRegistry(definitions), reach } = options
    const opened = await this.#store.open({
      runtime: runtime ?? (reach ? this.process(reach) : this.runtime),
      registry,
      relayed,
    })
    this.#opened.push(opened)
    await opened.schema.migrate([])
    return opened
  }

  /** Closes whatever the case left open. */
  async end(): Promise<void> {
    for (const opened of this.#opened) await opened.close()
  }
}
