import { ObverseError } from '../errors.ts'
import type { Checkpoints } from '../read/checkpoint.ts'
import { checkpointsOf, livesApart } from '../read/checkpoints-of.ts'
import { createGenerations, type Generations } from '../read/generation.ts'
import { createInlineProjector } from '../read/inline.ts'
import { createLive } from '../read/live.ts'
import type { AnyProjection } from '../read/projection.ts'
import { createProjector, type Projector } from '../read/projector.ts'
import type { ViewStore } from '../read/view.ts'
import { DEFAULT_RETRY } from '../runtime/retry.ts'
import type { OpenStore } from '../store.ts'
import type { Broker } from '../wire/broker.ts'
import { channel } from '../wire/channel.ts'
import { createConsumer } from '../wire/consumer.ts'
import { createGivenUpDrain, type GivenUpDrain } from '../wire/given-up.ts'
import { createQuarantine } from '../wire/quarantine.ts'
import { createRelay, type Relay } from '../wire/relay.ts'
import { createRouter, type Router } from '../wire/router.ts'
import { dueAt } from '../wire/schedule.ts'
import type { ConsumerDependencies } from '../wire/session.ts'
import { type CommandBus, createCommandBus } from '../write/command-bus.ts'
import { createExecutor } from '../write/execute.ts'
import type { Surroundings } from '../write/unit-builder.ts'
import { createWithin, type Within } from '../write/within.ts'
import type { AppOptions } from './application.ts'
import { type DependencyOptions, openDependencies } from './dependencies.ts'
import type { Limits } from './limits.ts'
import { noQueue } from './no-queue.ts'
import { LOG_CHANNEL, parkingOf } from './parking.ts'
import { commandDone } from './receipt.ts'
import { handlerSubscriber, projectionSubscriber } from './subscribers.ts'
import { createWake, type Wake } from './wake.ts'

/** What an application has once its stores are open. Nothing of it runs yet. */
export interface Opened {
  readonly store: OpenStore
  readonly broker: Broker
  readonly viewStores: ReadonlyMap<string, ViewStore>
  readonly wake: Wake
  readonly generations: Generations
  /** How far a projection has come is kept beside its rows. */
  readonly checkpointsFor: (projection: AnyProjection) => Checkpoints
  readonly router: Router
  readonly send: CommandBus
  readonly within: Within
  readonly relay: Relay
  /** Takes back what the broker gave up by itself. */
  readonly givenUp: GivenUpDrain
  /** Of every projection; those with another feed work only after a switch. */
  readonly projectors: readonly Projector[]
  /** For consumers of channels. */
  readonly consumers: ConsumerDependencies
  /** Held rows of projections that are fed from the log. */
  readonly logLanes: ReturnType<typeof createConsumer>
  close(): Promise<void>
}

export interface Composition extends DependencyOptions {
  readonly options: Pick<AppOptions<never>, 'broker' | 'views' | 'pipeline' | 'migrations' | 'migrate'>
  readonly observed: () => boolean
  readonly limits: Limits
}

/** Opens the stores and joins write, wire and read over them: the order below is the way of a message. */
export async function open(composition: Composition): Promise<Opened> {
  const { assembly, options, runtime, observe, limits } = composition
  const { registry, channels, projections } = assembly
  const dependencies = await openDependencies(composition)
  const { store, broker, viewStores, storeOf } = dependencies

  const wake = createWake(store)
  const generations = createGenerations({
    checkpoints: store.checkpoints,
    storeOf,
    runtime,
  })
  // should the store be gone again by now, the first query asks
  await generations.learn(projections.map(({ view }) => view)).catch(() => {})
  const { log, checkpoints, transactions } = store
  const inlined = projections.filter(({ feed }) => feed.kind === 'inline')
  const around: Surroundings = {
    runtime,
    route: (type) => router.channels(type),
    due: (delivery) => dueAt(delivery, runtime.now()),
    payloadLimit: limits.payload,
    eventLimit: limits.eventsPerCommit,
    committed: ({ events, messages }) => {
      if (!composition.observed()) return
      for (const { type, id: messageId, channels: to } of [...events, ...messages.map(({ message }) => message)]) {
        for (const at of to) observe({ step: 'sending', type, messageId, channel: at })
      }
    },
    ...(inlined.length > 0 && {
      inline: createInlineProjector({ projections: inlined, generations, log, runtime }),
    }),
  }
  const execute = createExecutor({
    transactions,
    around,
    layers: options.pipeline ?? [],
    runtime,
    conflictRetries: limits.conflictRetries,
  })
  const send = createCommandBus({
    handlers: assembly.commands,
    execute,
    transactions,
    around,
    runtime,
    observe,
    observed: composition.observed,
    inFlightLimit: limits.commandsInFlight,
    idempotencyWait: limits.idempotencyWait,
    done: (messageId, waiting) =>
      commandDone(messageId, waiting, { statuses: store.statuses, onCommit: wake.on, runtime }),
  })

  const reading = projections.map((projection) => {
    const source = projection.feed.kind === 'channel' ? channels.get(projection.feed.channel) : undefined
    const parking = parkingOf(projection, store, runtime, source?.retry ?? DEFAULT_RETRY)
    const home = storeOf(projection.view)
    const apart = livesApart(home, checkpoints)
    const shared = { projection, generations, log, parking, runtime, observer: observe, apart }
    const beside = checkpointsOf(home, checkpoints)
    const projector = createProjector({ ...shared, checkpoints: beside, onProjected: wake.now })
    return { projector, subscriber: projectionSubscriber(projection, source, createLive({ ...shared, projector })) }
  })
  const router = createRouter([
    ...assembly.onChannels.map((handler) => {
      const at = channels.get(handler.channel as string)
      if (!at) throw new ObverseError('CHANNEL_UNKNOWN', `There is no channel ${handler.channel} for ${handler.name}`)
      return handlerSubscriber(handler, at, execute)
    }),
    ...reading.map(({ subscriber }) => subscriber).filter((subscriber) => subscriber.channel !== LOG_CHANNEL),
  ])
  const owner = runtime.id()
  const { inbox, held, outbox, positions, deadLetters } = store
  const consumers: ConsumerDependencies = {
    runtime,
    observe,
    registry,
    router,
    broker,
    inbox,
    held,
    deadLetters,
    owner,
    drain: limits.drain,
    quarantine: createQuarantine(),
  }
  const logLanes = createConsumer(
    {
      ...consumers,
      broker: noQueue,
      observe: () => {},
      router: createRouter(reading.map((one) => one.subscriber).filter((one) => one.channel === LOG_CHANNEL)),
    },
    { ...channel('log'), name: LOG_CHANNEL },
  )
  const relay = createRelay({
    runtime,
    observe,
    registry,
    router,
    broker,
    outbox,
    ...(positions && { positions }),
    inbox,
    deadLetters,
    ...(store.alarms && { alarms: store.alarms }),
    owner,
    remember: limits.remember,
  })
  const givenUp = createGivenUpDrain({ runtime, observe, registry, router, broker, inbox, held })
  return {
    store,
    broker,
    viewStores,
    wake,
    generations,
    checkpointsFor: ({ view }) => checkpointsOf(storeOf(view), checkpoints),
    router,
    send,
    within: createWithin(transactions, around, runtime, composition.store.name),
    relay,
    givenUp,
    projectors: reading.map(({ projector }) => projector),
    consumers,
    logLanes,
    async close() {
      wake.close()
      await dependencies.close()
    },
  }
}
