import { kindOf, ObverseError } from '../errors.ts'
import type { Runtime } from '../runtime/clock.ts'
import { createLoop } from '../runtime/loop.ts'
import type { Observer } from '../runtime/observer.ts'
import { type RetryPolicy, retryPolicy } from '../runtime/retry.ts'
import { type Applier, createApplier } from './applier.ts'
import type { Checkpoints } from './checkpoint.ts'
import type { Log, LogPage } from './feed.ts'
import { advanceFenced } from './fence.ts'
import { createFollowing } from './following.ts'
import { checkpointName, type Generations, type Served } from './generation.ts'
import { highWaterOf, saveHighWater } from './high-water.ts'
import { createLaggingHead } from './lagging-head.ts'
import type { Applied } from './outcome.ts'
import type { Parking } from './parking.ts'
import { createPause, type Standing } from './pause.ts'
import type { AnyProjection } from './projection.ts'

export interface ProjectorOptions {
  readonly projection: AnyProjection
  readonly generations: Generations
  readonly checkpoints: Checkpoints
  readonly log: Log
  readonly parking: Parking
  readonly runtime: Runtime
  readonly observer?: Observer
  /** Told after every batch that came into the view. */
  readonly onProjected?: () => void
  /** How often a gathering projection tries a failing event before it records it. Default: 3 retries. */
  readonly retry?: Partial<RetryPolicy>
  /** Events of one batch. Default 1,000. */
  readonly batch?: number
  /** Milliseconds between looks when nothing wakes it. Default 100. */
  readonly idle?: number
  /** The rows are in another database than the log, with the checkpoint beside them. Default false. */
  readonly apart?: boolean
}

export type { Standing } from './pause.ts'

/**
 * Takes a projection's events from the log into the served generation of its view.
 *
 * - `log` feed: always. Two of them at once do no harm: rows are guarded, and the checkpoint is fenced.
 * - other feeds: after a switch only, until what they may still have written into the generation before has passed;
 *   a gathering view that is filled inline is followed always, for what a commit left to it;
 * - a view whose rows live apart is followed always, some seconds behind: should its store come back empty or older, its
 *   checkpoint says so, and the log gives what is missing. What is there is refused by its guard.
 *
 * One failing event parks its key and the rest goes on. A gathering projection stops there, because its order is that
 * of the log: it tries the event again, with the retries of its policy and then every second, until it passes, or a
 * person skips it.
 */
export interface Projector {
  readonly projection: AnyProjection
  start(): void
  /** Something was committed: looked for at once, but by one that follows some seconds behind. */
  wake(): void
  stop(): Promise<void>
  /** One batch; true: there may be more. For `drain`. */
  step(): Promise<boolean>
  /**
   * A gathering projection that stands tries its event now. Resolves once the log has been passed up to `position`.
   * @throws the failure, when it fails again
   */
  retry(position: number): Promise<void>
  /** Why it stands; `undefined`: it goes. */
  readonly standing: Standing | undefined
}

export function createProjector(options: ProjectorOptions): Projector {
  const { projection, generations, checkpoints, log, parking, runtime, observer, onProjected } = options
  const { batch = 1_000, idle = 100, apart = false } = options
  const types = [...projection.types]
  /** Commits fill the view too, and say in it how far they have come. */
  const shared = projection.gathering && projection.feed.kind === 'inline'
  const pause = createPause(retryPolicy(options.retry), runtime, parking)
  const following = createFollowing({ projection, checkpoints, log, runtime, apart })
  /** Events of another feed are the log's concern only when they should be there by now. */
  const lagging = apart && projection.feed.kind !== 'log' ? createLaggingHead(log, runtime) : undefined
  let highest = 0
  let newestHead = 0
  let current: { generation: number; applier: Applier; name: string } | undefined
  let position: number | undefined

  const enter = (served: Served) => {
    if (current?.generation === served.generation) return current
    const { table, generation } = served
    const givenUp = parking.givenUp.bind(parking)
    const shown = lagging === undefined && observer ? { observer } : {}
    const hot = apart ? { hotRows: 0 } : {}
    const applier = createApplier({ projection, table, log, runtime, ...shown, ...hot, givenUp })
    position = undefined
    highest = 0
    current = { generation, applier, name: checkpointName(projection, generation) }
    return current
  }

  const once = async (): Promise<boolean> => {
    const served = await generations.serving(projection.view)
    if (!following.due(served) || pause.resting()) return false
    const { applier, name } = enter(served)
    // a store apart may have come back with an older one
    if (apart || position === undefined) position = await checkpoints.get(name)
    const from = position
    if (from < highest) observer?.({ step: 'fell-back', projection: projection.name, from: highest, to: from })
    highest = from
    const whole = shared ? await highWaterOf(served.table) : 0
    if (whole > from) {
      await advance(name, from, whole, applier)
      return true
    }
    if (apart) await assertInLog(from)
    const end = lagging ? await lagging() : Number.POSITIVE_INFINITY
    if (end <= from) return following.caughtUp(served, from)
    const page = upTo(end, await log.after(from, batch, types))
    const to = Math.max(page.scannedTo, page.events.at(-1)?.position ?? 0)
    if (to <= from) return following.caughtUp(served, from)
    const reached = await bring(applier, page, from, to)
    if (reached > from) {
      if (shared) await saveHighWater(served.table, reached)
      await advance(name, from, reached, applier)
    }
    return reached === to
  }

  /** Rows that come from another log than this one must not be taken for its rows. */
  const assertInLog = async (position: number): Promise<void> => {
    if (position <= newestHead) return
    newestHead = await log.head()
    if (position <= newestHead) return
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `The view ${projection.view.name} has seen position ${position}, and the log ends at ${newestHead}: it was restored ` +
        `from an older backup; run \`obverse projections rebuild ${projection.name} --fresh\``,
    )
  }

  const advance = async (name: string, from: number, to: number, applier: Applier): Promise<void> => {
    if (runtime.reach) await runtime.reach('checkpoint.before')
    if (await advanceFenced(checkpoints, runtime, name, from, to)) {
      position = to
    } else {
      // another projector is at work: begin again from where it is
      position = undefined
      applier.forget()
    }
    onProjected?.()
  }

  /** Applies a page; returns the position up to which the log is done with. */
  const bring = async (applier: Applier, page: LogPage, after: number, to: number): Promise<number> => {
    if (page.events.length === 0) return to
    if (projection.gathering) return pause.after(await apply(applier, page.events, after, to), after, to)
    const keys = [...new Set(page.events.map(({ key }) => key))]
    const blocked = await parking.blocked(keys)
    const free = blocked.size === 0 ? page.events : page.events.filter(({ key }) => !blocked.has(key))
    // other feeds have put their events behind what is parked themselves
    if (blocked.size > 0 && projection.feed.kind === 'log') {
      await parking.behind(page.events.filter(({ key }) => blocked.has(key)))
    }
    const applied = await applyOrName(applier, free, after, to)
    for (const { event, error } of applied.failed) await parking.failed(event, error)
    if (applied.behind.length > 0) await parking.behind(applied.behind)
    return to
  }

  const apply = async (applier: Applier, events: LogPage['events'], after: number, to: number): Promise<Applied> => {
    try {
      return await applier.apply(events, { after, to })
    } catch (error) {
      applier.forget()
      position = undefined
      throw error
    }
  }

  /** A store may refuse a row for good (one that is too large): the batch failed, and one event of it did that. */
  const applyOrName = async (
    applier: Applier,
    events: LogPage['events'],
    after: number,
    to: number,
  ): Promise<Pick<Applied, 'failed' | 'behind'>> => {
    try {
      return await apply(applier, events, after, to)
    } catch (error) {
      if (kindOf(error) === 'outage') throw error
      const [first] = events
      if (events.length === 1 && first) return { failed: [{ event: first, error }], behind: [] }
      const half = Math.ceil(events.length / 2)
      const stopped = new Set<string>()
      const all: Pick<Applied, 'failed' | 'behind'> = { failed: [], behind: [] }
      for (const part of [events.slice(0, half), events.slice(half)]) {
        all.behind.push(...part.filter(({ key }) => stopped.has(key)))
        const free = part.filter(({ key }) => !stopped.has(key))
        if (free.length === 0) continue
        const { failed, behind } = await applyOrName(applier, free, after, to)
        for (const each of failed) stopped.add(each.event.key)
        all.failed.push(...failed)
        all.behind.push(...behind)
      }
      return all
    }
  }

  let running: Promise<boolean> | undefined
  const step = () => {
    running ??= once().finally(() => {
      running = undefined
    })
    return running
  }
  const loop = createLoop({
    name: projection.name,
    step,
    idle,
    runtime,
    onError: (error) => observer?.({ step: 'failed', part: `projection ${projection.name}`, error }),
  })
  return {
    projection,
    start: loop.start,
    // seconds behind on purpose, it has no use for a commit of now
    wake: lagging ? () => {} : loop.wake,
    stop: loop.stop,
    step,
    async retry(to) {
      // a step under way may have begun before the cause was removed
      await running?.catch(() => {})
      pause.end()
      for (;;) {
        await step()
        const { generation } = await generations.serving(projection.view)
        if ((await checkpoints.get(checkpointName(projection, generation))) >= to) return
        const error = pause.error
        if (error !== undefined) throw error
      }
    },
    get standing() {
      return pause.standing
    },
  }
}

function upTo(end: number, page: LogPage): LogPage {
  if (page.scannedTo <= end) return page
  return { events: page.events.filter(({ position = 0 }) => position <= end), scannedTo: end }
}
