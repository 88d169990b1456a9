import {
  type App,
  createApp,
  createRegistry,
  event,
  type NewEvent,
  type OpenStore,
  projection,
  type Store,
  systemRuntime,
  unchecked,
  view,
} from 'obverse'
import { newEvent } from '../../../bench/new-event.ts'
import { until } from '../../processes.ts'
import { Progress } from '../../progress.ts'

/** Events of one timed run: few beside those that are there. */
const SLICE = 2_000
const READ = 5_000
const PAGE = 1_000
const IN_FLIGHT = 64
const FILLING = 1_000
const CHANNEL = 'orders'
/** Milliseconds without anything new after which a run has failed. */
const PATIENCE = 60_000
const OWNER = 'bounds'

/** A store with so many events in its log, and what it does in a second. */
export class FilledStore {
  readonly #store: Store
  readonly #open: OpenStore
  readonly #name: string
  #count = 0

  private constructor(name: string, store: Store, open: OpenStore) {
    this.#name = name
    this.#store = store
    this.#open = open
  }

  static async fill(name: string, store: Store, count: number): Promise<FilledStore> {
    const open = await store.open({ runtime: systemRuntime, registry: createRegistry([Placed]), relayed: true })
    await open.schema.migrate([])
    const filled = new FilledStore(name, store, open)
    const progress = new Progress(`${name}, filled`, count)
    while (filled.#count < count) {
      await filled.#add(Math.min(FILLING, count - filled.#count), [], FILLING)
      await filled.#stamp()
      progress.update(filled.#count)
    }
    progress.end()
    return filled
  }

  /** Events that were appended, each on a key of its own, with its outbox row. */
  async append(): Promise<number> {
    return rate(SLICE, () => this.#add(SLICE, [CHANNEL], IN_FLIGHT))
  }

  /** Outbox rows that were given a place, claimed and taken away, which is what a relay asks of its store. */
  async relay(): Promise<number> {
    const { outbox } = this.#open
    return rate(SLICE, async () => {
      await this.#stamp()
      for (let round = 0; ; round += 1) {
        if (round > SLICE) throw new Error('Rows of the outbox come again and again')
        const rows = await outbox.claim(OWNER, SLICE)
        if (rows.length === 0) return
        await outbox.done(
          OWNER,
          rows.map(({ id }) => id),
        )
      }
    })
  }

  /** Events that were read from the log, page by page, from about its middle. */
  async read(): Promise<number> {
    const { log } = this.#open
    const from = Math.floor((this.#count - READ) / 2)
    return rate(READ, async () => {
      for (let position = from; position < from + READ; position += PAGE) {
        const { events } = await log.after(position, PAGE)
        if (events.length !== PAGE) throw new Error(`The log gave ${events.length} events after ${position}`)
      }
    })
  }

  /** Events that a new view was filled with, from the log; then the same by a rebuild, which tells how far it is. */
  async project(): Promise<{ readonly projected: number; readonly rebuilt: number; readonly told: number }> {
    let seen = 0
    const count = this.#count
    const app = createApp({
      name: 'bounds',
      handlers: [],
      projections: [orderList],
      store: this.#store,
      observe: [
        (step) => {
          if (step.step === 'projected') seen += step.events
        },
      ],
    }) as App
    await app.open()
    const projected = await rate(count, async () => {
      await app.start({ relay: false, consume: false, project: true })
      for (let before = -1; seen < count; ) {
        if (seen === before) throw new Error(`The projection stands at ${seen} of ${count} events`)
        before = seen
        await until('it to go on', () => seen >= count || seen > before, PATIENCE).catch(() => {})
      }
    })
    const progress = new Progress(`${this.#name}, rebuilt`, count)
    let told = 0
    const rebuilt = await rate(count, async () => {
      const { events } = await app.operate.projections.rebuild(orderList.name, {
        onProgress({ position }) {
          told += 1
          progress.update(position)
        },
      })
      if (events < count) throw new Error(`The rebuild had ${events} of ${count} events`)
    })
    progress.end()
    await app.stop()
    return { projected, rebuilt, told }
  }

  close(): Promise<void> {
    return this.#open.close()
  }

  async #add(count: number, channels: readonly string[], inFlight: number): Promise<void> {
    let left = count
    const lane = async () => {
      while (left > 0) {
        left -= 1
        const one: NewEvent = { ...newEvent(), channels }
        await this.#open.transactions.commit({ name: 'bounds' }, { events: [one], messages: [] })
      }
    }
    await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane))
    this.#count += count
  }

  async #stamp(): Promise<void> {
    while ((await this.#open.positions?.stamp(PAGE)) ?? 0) {
      // until everything has its place
    }
  }
}

interface Order {
  readonly id: string
  readonly lines: unknown
}

const Placed = event('orders.placed', unchecked<Pick<Order, 'lines'>>(), { key: () => 'given' })
const orders = view('orders', { row: unchecked<Order>(), key: 'id' })
const orderList = projection('order-list', orders).on(Placed, ({ lines }, rows, { key }) =>
  rows.put({ id: key, lines }),
)

async function rate(count: number, work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return Math.round((count * 1_000) / (performance.now() - start))
}
