import { ObverseError } from '../errors.ts'
import type { EventEnvelope } from '../message/envelope.ts'
import { createApplier } from './applier.ts'
import { beginBuilding, isBuiltAlike } from './building.ts'
import type { Generation } from './checkpoint.ts'
import { advanceFenced } from './fence.ts'
import { checkpointName, type Generations } from './generation.ts'
import { saveHighWater } from './high-water.ts'
import { type Lease, takeLease } from './lease.ts'
import type { FailedEvent } from './outcome.ts'
import type { AnyProjection } from './projection.ts'
import type { RebuildContext } from './rebuild-context.ts'
import { switchGeneration } from './switch.ts'
import type { ViewStore, ViewTable } from './view.ts'

export type { RebuildContext } from './rebuild-context.ts'

export interface RebuildRequest {
  /** Build only; a later switch catches up first. Default false. */
  readonly noSwitch?: boolean
  /** Begins at 0 even if a build that was cut off could be taken up. Default false. */
  readonly fresh?: boolean
  /** Builds into another store; from then on {@link Generations} must find this generation there. */
  readonly into?: ViewStore
  /** Events of one batch. Default: that of the context. */
  readonly batch?: number
  readonly onProgress?: (progress: Progress) => void
  /** Stops after the running batch, with the signal's reason; the next call goes on from there. */
  readonly signal?: AbortSignal
}

export interface Progress {
  readonly position: number
  readonly head: number
  readonly events: number
  readonly perSecond: number
}

export interface Rebuilt {
  readonly projection: string
  readonly generation: number
  /** Events read by this run; a resumed one begins where the last had come to. */
  readonly events: number
  readonly rows: number
  readonly ms: number
  readonly switched: boolean
}

/**
 * Builds the next generation of a view from the log, while the one before it answers, and switches to it. What it has
 * done is kept batch by batch: killed anywhere, the next call goes on from there, or from 0 when the projection is another
 * by then. Only rows are written: nothing that a handler does happens again.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` for a batch below 1; `REBUILD_RUNNING` while another process drives it, or when one has taken over; the error of a step that fails where the
 * live view has no parked key; outages
 */
export async function rebuild(context: RebuildContext, request: RebuildRequest = {}): Promise<Rebuilt> {
  const { batch = BATCH } = request
  if (!Number.isInteger(batch) || batch < 1) {
    throw new ObverseError('CONFIGURATION_INVALID', `batch of a rebuild is ${batch}; give a whole number from 1`)
  }
  return withLease(context, async (lease) => {
    const generation = await beginBuilding(context, request.fresh === true)
    if (request.into) context.generations.move(context.projection.view, generation, request.into)
    return build(context, request, { generation, may: (pointer) => pointer.building === generation }, lease)
  })
}

/**
 * Serves another generation that exists: one that was built without a switch, or the one before (rollback). It catches
 * up with the log first.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` for a generation that is not there, or that an unfinished build of
 * another version of the projection has left; `REBUILD_RUNNING`
 */
export async function switchTo(context: RebuildContext, generation: number): Promise<void> {
  const { projection, checkpoints } = context
  const pointer = await checkpoints.generation(projection.view.name)
  if (pointer.serving === generation) return
  if (pointer.previous !== generation && pointer.building !== generation) {
    const known = [pointer.serving, pointer.previous, pointer.building].filter((each) => each !== undefined)
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `View ${projection.view.name} has no generation ${generation}; it has ${known.join(', ')}`,
    )
  }
  if (pointer.building === generation && !(await isBuiltAlike(context, generation))) {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `Generation ${generation} of view ${projection.view.name} was built by other steps than ${projection.name} has now; ` +
        'rebuild it',
    )
  }
  const may = ({ previous, building }: Generation) => previous === generation || building === generation
  await withLease(context, (lease) => build(context, {}, { generation, may }, lease))
}

/** A generation, and the pointers under which it may be written and come to be served. */
interface Target {
  readonly generation: number
  readonly may: (pointer: Generation) => boolean
}

async function withLease<R>(context: RebuildContext, work: (lease: Lease) => Promise<R>): Promise<R> {
  const { checkpoints, projection, runtime } = context
  const lease = await takeLease(checkpoints, `${projection.name}:rebuild`, runtime)
  if (!lease) throw running(projection)
  try {
    return await work(lease)
  } finally {
    // an outage here is not worth more than the result: the lease lapses by itself
    await lease.release().catch(() => {})
  }
}

async function build(
  context: RebuildContext,
  request: RebuildRequest,
  { generation, may }: Target,
  lease: Lease,
): Promise<Rebuilt> {
  const { projection, generations, checkpoints, runtime, observer } = context
  const began = runtime.elapsed()
  const stillOurs = async () => {
    if (!(await lease.holds()) || !may(await checkpoints.generation(projection.view.name))) throw running(projection)
  }
  await stillOurs()
  const table = await generations.table(projection.view, generation)
  const events = await catchUp(context, request, generation, table, stillOurs)
  const switched = !request.noSwitch
  if (switched) {
    await stillOurs()
    if (!(await switchGeneration(context, generation, may))) throw running(projection)
    if (runtime.reach) await runtime.reach('rebuild.switched')
    observer?.({ step: 'switched', projection: projection.name, generation })
    if (projection.feed.kind === 'inline') await bringRest(context, generation, table)
  }
  const rows = await table.count()
  return { projection: projection.name, generation, events, rows, ms: runtime.elapsed() - began, switched }
}

/**
 * What commits wrote into the generation before until the switch: they write into this one now, so after it their callers
 * find what they wrote. A failure is left to the projector, which follows as well, and parks.
 */
async function bringRest({ observer: _, ...context }: RebuildContext, generation: number, table: ViewTable) {
  await catchUp(context, {}, generation, table, async () => {}).catch(() => {})
}

const BATCH = 1_000
/** Short batches in a row after which a writer that never pauses is not chased any more. */
const CHASE = 20

/**
 * Applies the log from the generation's checkpoint until nothing is left, or nearly so for long enough: what is left
 * then is followed behind the switch. Returns how many events there were. `stillOurs` throws where nothing may be
 * written any more.
 */
async function catchUp(
  context: RebuildContext,
  { onProgress, signal, batch = context.batch ?? BATCH }: RebuildRequest,
  generation: number,
  table: ViewTable,
  stillOurs: () => Promise<void>,
): Promise<number> {
  const { projection, checkpoints, log, parking, runtime, observer, apart = false } = context
  const name = checkpointName(projection, generation)
  const types = [...projection.types]
  const givenUp = parking.givenUp.bind(parking)
  const applier = createApplier({ projection, table, log, runtime, givenUp, apart })
  /** Last event of every key that is left where the live view has it. */
  const parked = new Map<string, EventEnvelope>()
  const began = runtime.elapsed()
  let position = await checkpoints.get(name)
  let count = 0
  for (let short = 0; short < CHASE; ) {
    signal?.throwIfAborted()
    const page = await log.after(position, batch, types)
    const to = Math.max(page.scannedTo, page.events.at(-1)?.position ?? 0)
    if (to <= position) break
    await stillOurs()
    const free = page.events.filter(({ key }) => !parked.has(key))
    for (const event of page.events) if (parked.has(event.key)) parked.set(event.key, event)
    const { failed, behind } = await applier.apply(free, { after: position, to })
    await leaveParked(context, failed, parked)
    for (const event of behind) parked.set(event.key, event)
    if (projection.gathering && projection.feed.kind === 'inline') await saveHighWater(table, to)
    if (runtime.reach) await runtime.reach('rebuild.batch')
    await stillOurs()
    if (await advanceFenced(checkpoints, runtime, name, position, to)) {
      position = to
    } else {
      position = await checkpoints.get(name)
      applier.forget()
    }
    count += page.events.length
    short = page.events.length < batch / 10 ? short + 1 : 0
    const perSecond = Math.round((count * 1_000) / Math.max(1, runtime.elapsed() - began))
    const head = Math.max(position, await log.head())
    onProgress?.({ position, head, events: count, perSecond })
    observer?.({ step: 'rebuilding', projection: projection.name, position, head, perSecond })
    if (runtime.without?.has('catch-up-first')) break
  }
  // keys that were released meanwhile went on in the other generation: their last event brings the ones before it
  if (parked.size > 0) {
    await stillOurs()
    const { failed } = await applier.apply([...parked.values()])
    await leaveParked(context, failed, new Map())
  }
  return count
}

/** A key that is parked in the live view is left where it stands there; any other failure ends the rebuild. */
async function leaveParked(
  { projection, parking }: RebuildContext,
  failed: readonly FailedEvent[],
  parked: Map<string, EventEnvelope>,
): Promise<void> {
  if (failed.length === 0) return
  const blocked = projection.gathering
    ? new Set<string>()
    : await parking.blocked([...new Set(failed.map(({ event }) => event.key))])
  for (const { event, error } of failed) {
    if (!blocked.has(event.key)) throw failure(projection, event, error)
    parked.set(event.key, event)
  }
}

function failure({ name }: AnyProjection, event: EventEnvelope, error: unknown): ObverseError {
  const reason = error instanceof Error ? error.message : String(error)
  return new ObverseError(
    'HANDLER_FAILED',
    `Rebuild of ${name} stands at ${event.type} ${event.id} (key ${JSON.stringify(event.key)}, seq ${event.seq}): ` +
      `${reason}; correct the step and rebuild again`,
    { cause: error },
  )
}

function running({ name }: AnyProjection): ObverseError {
  return new ObverseError('REBUILD_RUNNING', `Another process rebuilds or switches ${name}; wait until it is done`)
}
