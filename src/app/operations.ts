import { ObverseError } from '../errors.ts'
import type { ChannelReport, Operations, ProjectionReport } from '../operate.ts'
import { checkpointName } from '../read/generation.ts'
import { createProgress } from '../read/progress.ts'
import type { AnyProjection } from '../read/projection.ts'
import { rebuild, switchTo } from '../read/rebuild.ts'
import { verify } from '../read/verify.ts'
import { type Runtime, sleep } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import { DEFAULT_RETRY } from '../runtime/retry.ts'
import type { Migration, OpenStore, SchemaControl } from '../store.ts'
import type { DeadLetters } from '../wire/dead-letter.ts'
import type { HeldCount, HeldState } from '../wire/held.ts'
import type { Assembly } from './assembly.ts'
import { examine } from './doctor.ts'
import { examineServers, healthOf } from './health.ts'
import type { Opened } from './opened.ts'
import { parkingOf } from './parking.ts'
import { resetAll } from './reset.ts'
import { type Sources, statusOf, type Taker, traceOf } from './tracing.ts'

export interface OperatedOn {
  readonly opened: () => Promise<Opened>
  /** Gives the store as it stands, opened for this alone if need be: nothing is migrated by looking. */
  readonly standing: <T>(look: (schema: SchemaControl) => Promise<T>) => Promise<T>
  readonly assembly: Assembly
  readonly runtime: Runtime
  readonly observe: Observer
  readonly migrations: readonly Migration[]
  /** Milliseconds for which inbox marks are kept. */
  readonly remember: number
}

/** Longest wait between looks of `log.tail`, when no commit has woken it. */
const TAIL_LOOK = 250
const TAIL_PAGE = 500
/** Events that are given a position at once. */
const STAMPS = 1_000

/** Operators' verbs over the ports of an application; each opens it if need be and runs nothing else. */
export function createOperations(on: OperatedOn): Operations {
  const { opened, assembly, runtime, migrations } = on
  const store = async () => (await opened()).store
  const sources = async (): Promise<Sources> => {
    const all = await opened()
    return { ...all.store, takers: (type) => takersOf(type, all, assembly, on) }
  }
  const known = (name: string): string => {
    if (assembly.channels.has(name)) return name
    const all = [...assembly.channels.keys()].join(', ') || 'none'
    throw new ObverseError('CHANNEL_UNKNOWN', `There is no channel ${JSON.stringify(name)}; the channels are: ${all}`)
  }
  const find = (name: string): AnyProjection => {
    const found = assembly.projections.find((projection) => projection.name === name)
    if (found) return found
    const all = assembly.projections.map((projection) => projection.name).join(', ') || 'none'
    throw new ObverseError('USAGE', `There is no projection ${JSON.stringify(name)}; the projections are: ${all}`)
  }
  const context = async (name: string) => {
    const { store: open, generations, checkpointsFor } = await opened()
    const { log } = open
    const projection = find(name)
    const checkpoints = checkpointsFor(projection)
    const parking = parkingOf(projection, open, runtime, DEFAULT_RETRY)
    const { positions } = open
    const stamp = async () => {
      while (((await positions?.stamp(STAMPS)) ?? 0) === STAMPS) {
        // until nothing is left that was there when it began
      }
    }
    const apart = checkpoints !== open.checkpoints
    return { projection, generations, checkpoints, log, stamp, parking, runtime, apart, observer: on.observe }
  }
  const operations: Operations = {
    channels: {
      list: async () => channelReports(await opened(), assembly),
      peek: async (name, limit) => (await opened()).broker.peek(known(name), limit),
      put: async (name, body) => (await opened()).broker.put(known(name), body),
    },
    deadLetters: lateBound(async () => (await store()).deadLetters),
    projections: {
      async list() {
        const all = await opened()
        return Promise.all(assembly.projections.map((projection) => projectionReport(all, projection)))
      },
      rebuild: async (name, options) => rebuild(await context(name), options),
      verify: async (name) => verify(await context(name)),
      switchTo: async (name, generation) => switchTo(await context(name), generation),
    },
    log: {
      read: async (position, limit) => (await (await store()).log.after(position, limit)).events,
      head: async () => (await store()).log.head(),
      async tail(position, onEvent, signal) {
        const { store: open, wake } = await opened()
        let after = position
        let hint = new AbortController()
        const stop = wake.on(() => hint.abort())
        while (!signal.aborted) {
          hint = new AbortController()
          const { events, scannedTo } = await open.log.after(after, TAIL_PAGE)
          for (const event of events) onEvent(event)
          after = Math.max(after, scannedTo, events.at(-1)?.position ?? 0)
          if (events.length === 0) await sleep(runtime, TAIL_LOOK, AbortSignal.any([hint.signal, signal]))
        }
        stop()
      },
    },
    status: async (messageId) => statusOf(messageId, await sources()),
    trace: async (messageId) => traceOf(messageId, await sources()),
    cancel: async (messageId) => (await store()).statuses.cancel(messageId),
    migrate: () => on.standing((schema) => schema.migrate(migrations)),
    pendingMigrations: () => on.standing((schema) => schema.pending(migrations)),
    printMigrations: () =>
      on.standing(async (schema) => {
        const pending = new Set(await schema.pending(migrations))
        const inCode = migrations.filter(({ name }) => pending.has(name))
        return [
          ...(await schema.print()),
          ...inCode.map(
            ({ name }) => `-- ${name} is a step of the application, in code: \`obverse migrate\` applies it`,
          ),
        ]
      }),
    reset: async () => resetAll(await opened(), assembly, migrations),
    health: async () => healthOf(await opened(), assembly),
    doctor: () =>
      examine(
        operations,
        async () => orphansOf(await store(), assembly),
        async () => examineServers(await opened(), assembly),
        runtime,
      ),
  }
  return operations
}

/** Handlers by their inbox marks, which are kept for a time only; projections by the marks of their rows. */
function takersOf(type: string, opened: Opened, assembly: Assembly, { runtime, remember }: OperatedOn): Taker[] {
  const { store, generations, checkpointsFor } = opened
  const handlers = assembly.onChannels.filter(({ definition }) => definition.type === type)
  const projections = assembly.projections.filter(({ types }) => types.has(type))
  return [
    ...handlers.map(
      ({ name }): Taker => ({
        name,
        done: async ({ id, time }) => Date.parse(time) < runtime.now() - remember || (await store.inbox.seen(id, name)),
      }),
    ),
    ...projections.map((projection): Taker => {
      const checkpoints = checkpointsFor(projection)
      const progress = createProgress(projection, { generations, checkpoints, log: store.log })
      return {
        name: projection.name,
        done: async ({ key, seq }) => (await progress.look([{ key, seq }])).missing.size === 0,
      }
    }),
  ]
}

/** What is held for handlers that this application does not have, without what was given up for good. */
async function orphansOf({ held }: OpenStore, { onChannels, projections }: Assembly): Promise<readonly HeldCount[]> {
  const names = new Set([...onChannels, ...projections].map(({ name }) => name))
  const counts = await held.counts()
  return counts.filter(({ handler, state }) => handler !== null && state !== 'skipped' && !names.has(handler))
}

async function channelReports({ broker, store, router }: Opened, { channels }: Assembly): Promise<ChannelReport[]> {
  const [stats, counts] = await Promise.all([broker.stats(), store.held.counts()])
  return [...channels.keys()].map((name) => {
    const handlers = router.on(name).map((subscriber) => subscriber.name)
    const held: Record<HeldState, number> = { retry: 0, waiting: 0, dead: 0, skipped: 0 }
    for (const { channel, state, count } of counts) if (channel === name) held[state] += count
    const found = stats.find((one) => one.channel === name)
    return { channel: name, messages: 0, unsettled: 0, consumers: 0, ...found, handlers, held }
  })
}

async function projectionReport(opened: Opened, projection: AnyProjection): Promise<ProjectionReport> {
  const { store, generations, viewStores } = opened
  const { name, view, feed, gathering } = projection
  const served = await generations.look(view)
  const [rows, counts, reached] = await Promise.all([
    served.table.count(),
    store.held.counts(),
    opened.checkpointsFor(projection).get(checkpointName(projection, served.generation)),
  ])
  // after the checkpoint: what it has passed is in the log by then, or is not in this log
  const head = await store.log.head()
  const dead = counts.filter(({ handler, state }) => handler === name && state === 'dead')
  return {
    projection: name,
    view: view.name,
    store: viewStores.get(view.name)?.name ?? store.views.name,
    feed: feed.kind === 'channel' ? `channel ${feed.channel}` : feed.kind,
    gathering,
    generation: served.pointer,
    rows,
    ...(feed.kind === 'log' && { behind: Math.max(0, head - reached) }),
    ...(reached > head && { ahead: reached - head }),
    parked: dead.reduce((sum, { count }) => sum + count, 0),
  }
}

/** The dead letters of a store that may not be open yet. */
function lateBound(port: () => Promise<DeadLetters>): DeadLetters {
  return {
    list: async (filter) => (await port()).list(filter),
    get: async (id) => (await port()).get(id),
    retry: async (id) => (await port()).retry(id),
    edit: async (id, body) => (await port()).edit(id, body),
    skip: async (id, note) => (await port()).skip(id, note),
    reclaim: async (knows) => (await port()).reclaim(knows),
  }
}
