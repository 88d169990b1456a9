import type { App, AppOptions, Roles } from './app/application.ts'
import { createAsking } from './app/asking.ts'
import { assemble } from './app/assembly.ts'
import { describe } from './app/describe.ts'
import { limitsOf } from './app/limits.ts'
import { type Opened, open } from './app/opened.ts'
import { createOperations } from './app/operations.ts'
import { channelsOf, createParts, drainAll, type Parts } from './app/parts.ts'
import { ObverseError } from './errors.ts'
import type { Message } from './message/define.ts'
import type { QueryBus, QueryHandler } from './read/query-bus.ts'
import { systemRuntime } from './runtime/clock.ts'
import { type Observer, observers } from './runtime/observer.ts'
import { knownOptions } from './runtime/options.ts'
import type { SchemaControl } from './store.ts'
import { consume } from './wire/consume.ts'
import type { AnyHandler } from './write/handle.ts'

const APP_OPTIONS = [
  'name',
  'handlers',
  'projections',
  'store',
  'broker',
  'views',
  'channels',
  'pipeline',
  'migrations',
  'migrate',
  'observe',
  'runtime',
  'limits',
  'messages',
  'inline',
] satisfies (keyof AppOptions<[]>)[]

/** What exists between `open` and `stop`. */
interface Life {
  readonly opened: Opened
  readonly queries: QueryBus
}

/**
 * Composes an application. Checks it at once; opens and runs nothing until it is told to (`send` and `ask` open it).
 *
 * @throws {ObverseError} `DEFINITION_DUPLICATE`, `HANDLER_DUPLICATE`, `HANDLER_MISSING`, `CHANNEL_UNKNOWN`,
 * `CONFIGURATION_INVALID`
 *
 * @example
 * const app = createApp({ handlers: [placeOrder, getOrder], projections: [orderList], store: sqlite('orders.db') })
 * await app.start()
 * const { token } = await app.send(PlaceOrder({ orderId, lines }))
 * const order = await app.ask(GetOrder({ orderId }), { after: token })
 */
export function createApp<const H extends readonly (AnyHandler | QueryHandler)[]>(
  options: AppOptions<H>,
): App<H[number]> {
  knownOptions('createApp()', options, APP_OPTIONS)
  if (!options.store) {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      "createApp() needs a store: sqlite('data/app.db') of obverse/sqlite, or memory() of obverse/memory",
    )
  }
  const { name = 'obverse', store, runtime = systemRuntime, inline = false } = options
  const assembly = assemble(options)
  const limits = limitsOf(options.limits)
  const observing = new Set<Observer>(options.observe)
  const observe = observers(observing)
  let life: Life | undefined
  let opening: Promise<Life> | undefined
  let parts: Parts | undefined
  let starting: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  const begin = async (): Promise<Life> => {
    const composition = { assembly, options, store, runtime, observe, observed: () => observing.size > 0, limits }
    const opened = await open(composition)
    const queries = createAsking(opened, { assembly, runtime, observe, limits, layers: options.pipeline ?? [] })
    life = { opened, queries }
    return life
  }
  const living = (): Promise<Life> => {
    opening ??= (stopping ?? Promise.resolve()).then(begin).catch((error: unknown) => {
      // a store that was down is asked again by the next call
      opening = undefined
      throw error
    })
    return opening
  }
  const opened = async () => (await living()).opened

  const standing = async <T>(look: (schema: SchemaControl) => Promise<T>): Promise<T> => {
    if (opening) return look((await opening).opened.store.schema)
    const bare = await store.open({ runtime, registry: assembly.registry, relayed: options.broker !== undefined })
    return look(bare.schema).finally(() => bare.close())
  }
  const stop = async () => {
    await starting?.catch(() => {})
    await parts?.stop()
    parts = undefined
    starting = undefined
    const ending = await opening?.catch(() => undefined)
    life = undefined
    opening = undefined
    await ending?.opened.close()
  }

  const app: App<H[number]> = {
    name,
    send(message, sending) {
      // without a step of its own while the application lives: this is the hot path
      if (life && !inline) return life.opened.send(message, sending) as Promise<never>
      return living().then(async ({ opened: all }) => {
        const sent = await all.send(message, sending)
        if (inline) await app.drain()
        return sent as never
      })
    },
    async ask<R>(message: Message<string, unknown, 'query', R>, asking?: object) {
      const { queries } = life ?? (await living())
      return (await queries.ask(message, asking)) as R
    },
    async within(connection, work, options) {
      knownOptions('within()', options, ['expected', 'principal', 'metadata', 'name'])
      if (life) return life.opened.within(connection, work, options)
      // opening may wait for tables that this very transaction has locked, or for a connection of its pool
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        'app.within() needs an application that is open: await app.start() or app.open() before the transaction begins',
      )
    },
    async open() {
      await living()
    },
    start(roles: Roles = {}) {
      knownOptions('start()', roles, ['relay', 'consume', 'project'])
      starting ??= living().then(async (started) => {
        parts = createParts(started.opened, assembly, roles)
        await parts.start()
      })
      starting.catch(() => {
        starting = undefined
      })
      return starting
    },
    stop() {
      stopping ??= stop().finally(() => {
        stopping = undefined
      })
      return stopping
    },
    async consume(channels, consuming) {
      const wanted = channelsOf(assembly, channels)
      return consume((await opened()).consumers, wanted, consuming)
    },
    drain: async () => drainAll(await opened(), assembly),
    operate: createOperations({
      opened,
      standing,
      assembly,
      runtime,
      observe,
      migrations: options.migrations ?? [],
      remember: limits.remember,
    }),
    describe: () =>
      describe(assembly, {
        name,
        store: store.name,
        broker: options.broker ? 'external' : store.name,
        viewStore: (view) => (options.views && view in options.views ? 'own store' : store.name),
      }),
    definition: (type) => assembly.registry.find(type),
    observe(observer) {
      observing.add(observer)
      return () => observing.delete(observer)
    },
    [Symbol.asyncDispose]: () => app.stop(),
  }
  return app
}
