import type { Checkpoints, Entry, Transactions, Unit } from 'obverse'
import type { Mutations } from './mutation.ts'
import type { SimulatedProcess } from './process.ts'
import type { World } from './world.ts'

/** A message that took effect: what a handler did with it was committed. */
export interface Effect {
  readonly messageId: string
  readonly type: string
  readonly handler: string
  readonly key: string | null
  /** Of an event. */
  readonly seq: number | undefined
  /** Milliseconds of the run. */
  readonly at: number
  readonly process: string
}

/** What was committed, as the store knows it and whoever died before it heard of it does not. */
export class History {
  readonly effects: Effect[] = []
  /** Events that were committed, whether they have a position or not. */
  events = 0
  /** Checkpoints that went back, in words. */
  readonly setbacks: string[] = []
  readonly #world: World
  readonly #without: Mutations

  constructor(world: World, without: Mutations) {
    this.#world = world
    this.#without = without
  }

  /** A checkpoint only rises. */
  watching(checkpoints: Checkpoints): Checkpoints {
    return {
      ...checkpoints,
      advance: async (name, from, to) => {
        const before = await checkpoints.get(name)
        const moved = await checkpoints.advance(name, from, to)
        if (moved && to < before && !name.includes(':')) this.setbacks.push(`${name} went back from ${before} to ${to}`)
        return moved
      },
    }
  }

  recording(transactions: Transactions, { name: process }: SimulatedProcess): Transactions {
    const within = (entry: Entry, unit: Unit): Unit => this.#within(entry, unit, process)
    return {
      hasTables: transactions.hasTables,
      knowsPosition: transactions.knowsPosition,
      enter: (entry) => transactions.enter(entry),
      commit: (entry, unit) => transactions.commit(entry, within(entry, unit)),
      decide: (entry, request, decision) =>
        transactions.decide(entry, request, (loaded) => within(entry, decision(loaded))),
      transact: (entry, work) => transactions.transact(entry, async (tx) => within(entry, await work(tx))),
    }
  }

  /** Inline views are filled inside the commit, so this is told at its moment, whoever dies after it. */
  #within(entry: Entry, given: Unit, process: string): Unit {
    const unit = this.#without.has('due-time') ? undelayed(given) : given
    return {
      ...unit,
      project: (events, rows) => {
        const projected = unit.project?.(events, rows)
        const add = () => {
          this.events += unit.events.length
          this.#add(entry, process)
        }
        return projected instanceof Promise ? projected.then(add) : add()
      },
    }
  }

  #add({ delivery }: Entry, process: string): void {
    if (!delivery) return
    const { envelope, handler } = delivery
    const { id: messageId, type, key, seq } = envelope
    this.#world.note(process, `has committed ${handler} of ${type} ${key ?? ''} ${seq ?? ''}`)
    this.effects.push({
      messageId,
      type,
      handler,
      key,
      seq: seq ?? undefined,
      at: this.#world.elapsed,
      process,
    })
  }
}

function undelayed(unit: Unit): Unit {
  return {
    ...unit,
    messages: unit.messages.map((one) => {
      const { due: _, ...message } = one.message
      return { ...one, message }
    }),
  }
}
