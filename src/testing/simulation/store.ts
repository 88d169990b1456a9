import type {
  Broker,
  BrokerDelivery,
  HeldRows,
  OpenStore,
  Outbox,
  Store,
  SubscribeOptions,
  Subscription,
  Transactions,
  ViewStore,
} from 'obverse'
import { Claims } from './claims.ts'
import type { History } from './history.ts'
import type { Link } from './link.ts'
import type { Mutations } from './mutation.ts'
import { never } from './process.ts'
import type { World } from './world.ts'

/** Milliseconds within which a process hears of the commit of another, unless the hint is lost. */
const HINT = 40

/** What lies between a process and the store. */
export interface StoreReach {
  readonly link: Link
  readonly world: World
  readonly history: History
  /** As a server with many writers: a decision is made outside of the transaction. */
  readonly apart: boolean
  readonly without: Mutations
}

/** A store as one process reaches it. */
export function reachedStore(store: Store, reach: StoreReach): Store {
  return {
    name: store.name,
    async open(environment) {
      const open = await reach.link.call('open', () => store.open(environment))
      // what a dead process has opened says nothing more by itself; its leases run out
      return reachedPorts(open, reach)
    },
  }
}

function reachedPorts(open: OpenStore, reach: StoreReach): OpenStore {
  const { link, world, history, apart, without } = reach
  const plain = ['events', 'inbox', 'deadLetters', 'statuses', 'log', 'schema'] as const
  const ports = Object.fromEntries(plain.map((name) => [name, reached(name, open[name], link)]))
  return {
    ...open,
    ...(ports as Pick<OpenStore, (typeof plain)[number]>),
    ...(open.positions && { positions: reached('positions', open.positions, link) }),
    outbox: reachedOutbox(open.outbox, new Claims(link, without), link),
    held: reachedHeld(open.held, new Claims(link, without), link),
    checkpoints: reached('checkpoints', history.watching(open.checkpoints), link),
    transactions: reachedTransactions(history.recording(open.transactions, link.process), open, link, apart),
    views: reachedViews(open.views, link),
    broker: reachedQueue(open.broker, link),
    health: () => link.call('health', () => open.health()),
    onCommit(listener) {
      const hear = () => link.process.run(listener)
      return open.onCommit(() => {
        if (!link.isCut && world.chance(0.7)) world.after(world.between(0, HINT), hear)
      })
    },
    close: () => (link.process.isAlive ? open.close() : never()),
  }
}

/** Every method of a port that answers with a promise, by way of the link; in copies by `...` too. */
export function reached<T extends object>(name: string, port: T, link: Link): T {
  return new Proxy(port, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target)
      if (typeof value !== 'function') return value
      const what = `${name}.${String(property)}`
      return (...given: unknown[]) => link.call(what, async () => Reflect.apply(value, target, given))
    },
  })
}

/** Where many write, what is decided on was loaded before, and is expected to be so still. */
function reachedTransactions(
  transactions: Transactions,
  { events }: OpenStore,
  link: Link,
  apart: boolean,
): Transactions {
  const through = reached('transactions', transactions, link)
  if (!apart) return through
  return {
    ...through,
    async decide(entry, { key, types }, decision) {
      const loaded = await link.call('events.load', () => events.load(key, { types }))
      const expected = new Map([[key, loaded.version]])
      return through.transact(entry, async () => ({ ...decision(loaded), expected }))
    },
  }
}

function reachedOutbox(outbox: Outbox, claims: Claims, link: Link): Outbox {
  return {
    ...reached('outbox', outbox, link),
    claim: (owner, limit) =>
      claims.claim(
        'outbox.claim',
        () => outbox.claim(owner, limit),
        (rows) =>
          outbox.failed(
            owner,
            rows.map(({ id }) => id),
            0,
            '',
          ),
      ),
  }
}

function reachedHeld(held: HeldRows, claims: Claims, link: Link): HeldRows {
  return {
    ...reached('held', held, link),
    claim: (owner, handlers, limit) =>
      claims.claim(
        'held.claim',
        () => held.claim(owner, handlers, limit),
        (rows) =>
          held.release(
            owner,
            rows.map(({ heldId }) => heldId),
          ),
      ),
  }
}

export function reachedViews(views: ViewStore, link: Link): ViewStore {
  return {
    name: views.name,
    lacks: (shape) => views.lacks(shape),
    open: (shape, generation) =>
      link.call('views.open', async () => reached(`view ${shape.name}`, await views.open(shape, generation), link)),
    drop: (shape, generation) => link.call('views.drop', () => views.drop(shape, generation)),
    ...(views.checkpoints && { checkpoints: reached('view checkpoints', views.checkpoints, link) }),
  }
}

const ASKED = async (): Promise<void> => {}

/** The queue in the store: a process that is frozen or dead takes nothing more; what it has is given back when its lease is over. */
function reachedQueue(broker: Broker, link: Link): Broker {
  const { process } = link
  const subscribe = async (channel: string, options: SubscribeOptions): Promise<Subscription> => {
    const subscription = await broker.subscribe(channel, {
      ...options,
      onDeliveries: (deliveries) =>
        process.run(() => options.onDeliveries(deliveries.map((one) => reachedDelivery(one, link)))),
    })
    process.watch(
      () => subscription.pause(),
      (frozen) => (frozen ? subscription.pause() : subscription.resume()),
    )
    return subscription
  }
  return {
    ...reached('queue', broker, link),
    // a subscription is the process's own: one whose answer was lost is not there
    subscribe: (channel, options) => link.call('queue.subscribe', ASKED).then(() => subscribe(channel, options)),
    close: () => (process.isAlive ? broker.close() : never()),
  }
}

function reachedDelivery(delivery: BrokerDelivery, link: Link): BrokerDelivery {
  return { ...delivery, ack: () => link.call('ack', () => delivery.ack()) }
}
