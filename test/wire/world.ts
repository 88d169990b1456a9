import {
  type BatchOutcome,
  type BatchSubscriber,
  type Broker,
  type Channel,
  type ChannelOptions,
  channel as channelOf,
  createRegistry,
  type Delivery,
  event,
  type HandlerSubscriber,
  type OpenStore,
  outgoing,
  type RetryPolicy,
  type Runtime,
  retryPolicy,
  rootMetadata,
  type Step,
  type Store,
  type Subscriber,
  systemRuntime,
  type Unit,
  unchecked,
} from 'obverse'
import { memory } from 'obverse/memory'
import { type Consumer, type ConsumerOptions, createConsumer } from '../../src/wire/consumer.ts'
import { createQuarantine } from '../../src/wire/quarantine.ts'
import { createRelay, type Relay } from '../../src/wire/relay.ts'
import { createRouter, type Router } from '../../src/wire/router.ts'
import type { ConsumerDependencies } from '../../src/wire/session.ts'

export interface Note {
  readonly key: string
  readonly n: number
}
export const Noted = event('t.noted', unchecked<Note>(), { key: (note) => note.key })
export const Other = event('t.other', unchecked<Note>(), { key: (note) => note.key })
export const registry = createRegistry([Noted, Other])
export const NOTHING: Unit = { events: [], messages: [] }

type Work = (note: Note, delivery: Delivery, signal: AbortSignal) => unknown
export interface SubscriberOptions {
  readonly channel?: string
  readonly types?: readonly string[]
  readonly ordered?: boolean
  readonly retry?: Partial<RetryPolicy>
  readonly tracked?: boolean
  readonly timeout?: number
}

function subscribed(name: string, options: SubscriberOptions) {
  const { channel = 'main', types = [Noted.type], ordered = true, retry, tracked = false } = options
  return { name, channel, types: new Set(types), ordered, retry: retryPolicy(retry), tracked }
}

/** One process over a store: what `createApp` would join, without handlers and views. */
export class World {
  readonly store: OpenStore
  readonly broker: Broker
  readonly steps: Step[] = []
  readonly subscribers: Subscriber[] = []
  readonly runtime: Runtime
  crashed = false
  readonly #consumers: Consumer[] = []

  constructor(store: OpenStore, broker: Broker, runtime: Runtime) {
    this.store = store
    this.broker = broker
    this.runtime = runtime
  }

  static async open(options: { store?: Store; runtime?: Partial<Runtime>; broker?: Broker } = {}): Promise<World> {
    const runtime = { ...systemRuntime, ...options.runtime }
    const store = await (options.store ?? memory()).open({ runtime, registry, relayed: options.broker !== undefined })
    return new World(store, options.broker ?? store.broker, runtime)
  }

  /** A handler whose effect is `work`, run before its commit, as an effect elsewhere would be. */
  handler(name: string, work: Work, options: SubscriberOptions = {}): HandlerSubscriber {
    const { transactions } = this.store
    const handler: HandlerSubscriber = {
      ...subscribed(name, options),
      ...(options.timeout !== undefined && { timeout: options.timeout }),
      handle: async (delivery, signal) => {
        const entry = { name, delivery, tracked: options.tracked ?? false }
        const ended = await transactions.enter(entry)
        if (ended) return ended.kind as 'duplicate' | 'held' | 'lost'
        await work(delivery.envelope.data as Note, delivery, signal)
        const outcome = await transactions.commit(entry, NOTHING)
        return outcome.kind as 'committed'
      },
    }
    this.subscribers.push(handler)
    return handler
  }

  projection(
    name: string,
    handleBatch: (deliveries: readonly Delivery[], signal: AbortSignal) => Promise<BatchOutcome>,
    options: SubscriberOptions = {},
  ): BatchSubscriber {
    const projection = { ...subscribed(name, options), handleBatch }
    this.subscribers.push(projection)
    return projection
  }

  /** Commits an event that goes where subscribers want it. */
  async publish(key: string, n: number, options: { type?: typeof Noted; channels?: readonly string[] } = {}) {
    const definition = options.type ?? Noted
    const id = this.runtime.id()
    const message = outgoing(definition({ key, n }), definition, {
      id,
      time: new Date(this.runtime.now()).toISOString(),
      key,
      metadata: rootMetadata(id),
      channels: options.channels ?? this.router.channels(definition.type),
    })
    await this.store.transactions.commit(
      { name: 'test' },
      { events: [message as Unit['events'][number]], messages: [] },
    )
    return id
  }

  get router(): Router {
    return createRouter(this.subscribers)
  }

  dependencies(more: Partial<ConsumerDependencies> = {}): ConsumerDependencies {
    return {
      runtime: this.runtime,
      observe: (step) => this.steps.push(step),
      registry,
      router: this.router,
      broker: this.broker,
      inbox: this.store.inbox,
      held: this.store.held,
      deadLetters: this.store.deadLetters,
      owner: this.#owner,
      drain: 5_000,
      quarantine: this.#quarantine,
      ...more,
    }
  }
  readonly #owner = systemRuntime.id()
  readonly #quarantine = createQuarantine()

  consumer(channel: ChannelOptions = {}, options: ConsumerOptions = {}, name = 'main'): Consumer {
    const consumer = createConsumer(this.dependencies(), channelOf(name, channel), options)
    this.store.onCommit(() => consumer.wake())
    this.#consumers.push(consumer)
    return consumer
  }

  relay(batch = 500): Relay {
    const { outbox, positions, inbox, deadLetters } = this.store
    const { runtime, broker } = this
    return createRelay({
      runtime,
      observe: (step) => this.steps.push(step),
      registry,
      router: this.router,
      broker,
      outbox,
      ...(positions && { positions }),
      inbox,
      deadLetters,
      owner: this.#owner,
      remember: 1_000_000,
      batch,
    })
  }

  /** The process is gone: nothing of it ends, and what it had is for others. */
  async crash(): Promise<void> {
    this.crashed = true
    await this.store.close()
  }

  async close(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()))
    if (!this.crashed) await this.store.close()
  }

  seen<S extends Step['step']>(step: S): Extract<Step, { step: S }>[] {
    return this.steps.filter((one): one is Extract<Step, { step: S }> => one.step === step)
  }
}

export const named = (name: string, options: ChannelOptions = {}): Channel => channelOf(name, options)

/** Waits for a condition; what is never true fails by name. */
export async function until(what: string, is: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = performance.now() + ms
  while (!(await is())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${ms} ms`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** Lets everything go on that can without time passing. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** A seeded generator, so that a failing run can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A clock that stands still until it is moved. */
export function movedClock(): { runtime: Partial<Runtime>; now: () => number; advance: (ms: number) => Promise<void> } {
  let time = Date.UTC(2030, 0, 1)
  const began = time
  const timers = new Set<{ at: number; work: () => void }>()
  return {
    now: () => time,
    runtime: {
      now: () => time,
      elapsed: () => time - began,
      random: () => 0,
      after(ms, work) {
        const timer = { at: time + Math.max(0, ms), work }
        timers.add(timer)
        return () => timers.delete(timer)
      },
    },
    async advance(ms) {
      const end = time + ms
      for (;;) {
        await turns(6)
        const [next] = [...timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)
        if (!next) break
        timers.delete(next)
        time = Math.max(time, next.at)
        next.work()
      }
      time = end
      await turns(6)
    },
  }
}
