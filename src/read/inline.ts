import type { EventEnvelope } from '../message/envelope.ts'
import type { Runtime } from '../runtime/clock.ts'
import { applyGathering, type GatheringContext } from './apply-gathering.ts'
import { applyKeys } from './apply-keys.ts'
import type { KeyRange, Log, LogPage } from './feed.ts'
import type { Generations } from './generation.ts'
import { HIGH_WATER } from './mark.ts'
import type { Applied } from './outcome.ts'
import { performer } from './perform.ts'
import type { AnyProjection } from './projection.ts'
import { createRecorder } from './record.ts'
import type { AnyView } from './view.ts'
import { after, drive, load, save, type Work } from './work.ts'

/** Earlier events that a commit brings into a gathering view itself; more are left to the projector. */
const CATCH_UP = 256

/** Rows of inline views inside a transaction; what `InlineRows` of `write/` gives. Answers may come at once. */
export interface TransactionRows {
  table(
    view: string,
    generation: number,
  ): {
    load(ids: readonly string[]): readonly unknown[] | Promise<readonly unknown[]>
    save(rows: readonly unknown[]): readonly string[] | Promise<readonly string[]>
  }
  serving?(view: string): number | Promise<number>
  readonly history?: {
    between(
      ranges: readonly KeyRange[],
      types: readonly string[],
    ): readonly EventEnvelope[] | Promise<readonly EventEnvelope[]>
    after(after: number, limit: number, types: readonly string[]): LogPage | Promise<LogPage>
  }
}

export interface InlineProjector {
  /** Looks up which generations are served; awaited before the transaction begins. Costs nothing if it is known. */
  ready(): Promise<void>
  /**
   * Applies the events of a unit inside its transaction. Synchronous if the rows are. What a step throws is thrown,
   * and nothing of the unit is kept.
   */
  project(events: readonly EventEnvelope[], rows: TransactionRows): void | Promise<void>
  /** Events that some inline projection handles; of others `project` need not be told. */
  readonly types: ReadonlySet<string>
}

export function createInlineProjector({
  projections,
  generations,
  log,
  runtime,
}: {
  readonly projections: readonly AnyProjection[]
  readonly generations: Generations
  /** Asked for what a row has missed, where the transaction itself cannot say. */
  readonly log: Pick<Log, 'between' | 'after'>
  readonly runtime: Runtime
}): InlineProjector {
  const each = projections.map((projection) => createInline(projection, generations, log, runtime))
  return {
    types: new Set(projections.flatMap(({ types }) => [...types])),
    async ready() {
      await Promise.all(projections.map(({ view }) => open(generations, view)))
    },
    project(events, rows) {
      let waiting: Promise<void> | undefined
      for (const one of each) {
        if (waiting) waiting = waiting.then(() => one(events, rows))
        else waiting = one(events, rows) ?? undefined
      }
      return waiting
    },
  }
}

/** The generation that a switch during the transaction would serve is opened too: inside it that cannot be done. */
async function open(generations: Generations, view: AnyView): Promise<void> {
  const { building } = (await generations.serving(view)).pointer
  if (building !== undefined) await generations.table(view, building)
}

type Inline = (events: readonly EventEnvelope[], rows: TransactionRows) => void | Promise<void>

function createInline(
  projection: AnyProjection,
  generations: Generations,
  log: Pick<Log, 'between' | 'after'>,
  runtime: Runtime,
): Inline {
  const { view, gathering } = projection
  const types = [...projection.types]
  const keyed = {
    projection,
    record: createRecorder(projection),
    together: true,
    guarded: !runtime.without?.has('guard-by-seq'),
    fillJumps: !runtime.without?.has('jump-fill'),
    hiddenMarks: false,
  }
  const gathered = { ...keyed, guarded: !runtime.without?.has('guard-by-position') }

  return (unit, rows) => {
    const events = unit.filter(({ type }) => projection.types.has(type))
    if (events.length === 0) return
    const work = () => (gathering ? gatherInline(gathered, events, unit[0]?.position ?? 0) : applyKeys(keyed, events))
    const go = (generation: number) => {
      const applied = drive(work(), performer(rows.table(view.name, generation), rows.history ?? log, types, none))
      return applied instanceof Promise ? applied.then(accept) : accept(applied)
    }
    const generation = rows.serving?.(view.name) ?? generations.last(view)?.generation ?? 1
    return generation instanceof Promise ? generation.then(go) : go(generation)
  }
}

/** No fault points and no skipped events inside a commit: what fails here fails the command. */
const none = () => undefined

const NOTHING: Applied = { failed: [], behind: [], rows: 0, filled: 0 }

/**
 * A commit goes on from where the view is whole: it brings in what few events were missed. When there are more, the
 * projector is on its way through the log and takes these events too. `first` is the position of the unit's first event.
 */
function* gatherInline(context: GatheringContext, events: readonly EventEnvelope[], first: number): Work<Applied> {
  const whole = (yield* load([HIGH_WATER]))[0]?.mark ?? 0
  const before = whole < first - 1 ? yield* after(whole, CATCH_UP) : { events: [], scannedTo: whole }
  if (before.scannedTo < first - 1) return NOTHING
  const missed = before.events.filter(({ position = 0 }) => position < first)
  const applied = yield* applyGathering(context, [...missed, ...events])
  const mark = events.at(-1)?.position ?? 0
  if (applied.failed.length === 0) yield* save([{ id: HIGH_WATER, key: null, mark, data: null }])
  return applied
}

function accept({ failed }: Applied): void {
  if (failed[0]) throw failed[0].error
}
