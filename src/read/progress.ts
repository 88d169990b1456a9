import type { Checkpoints } from './checkpoint.ts'
import type { Log } from './feed.ts'
import { checkpointName, type Generations } from './generation.ts'
import { highWaterOf } from './high-water.ts'
import { markIds, markOf } from './mark.ts'
import type { AnyProjection } from './projection.ts'
import type { ViewTable } from './view.ts'

/** An event that somebody waits for. */
export interface Wanted {
  readonly key: string
  readonly seq: number
}

export interface Progress {
  /** Looks once for all that is wanted. */
  look(wanted: readonly Wanted[]): Promise<{
    /** The generation that was looked at. */
    readonly table: ViewTable
    /** Key → lowest wanted seq that is not shown yet; other keys show everything. */
    readonly missing: ReadonlyMap<string, number>
    /** How far a key has come, in words. */
    readonly reached: (key: string) => string
  }>
}

export interface ProgressOptions {
  readonly generations: Generations
  readonly checkpoints: Pick<Checkpoints, 'get'>
  readonly log: Pick<Log, 'positionOf'>
}

/** Keys of one load, and positions that are remembered: they never change. */
const PAGE = 1_000
const KNOWN = 10_000

/** How far a view has come: by the marks of keys, or, gathering, by the checkpoint in the log. */
export function createProgress(projection: AnyProjection, options: ProgressOptions): Progress {
  return projection.gathering ? byPosition(projection, options) : byMark(projection, options.generations)
}

function byMark({ view }: AnyProjection, generations: Generations): Progress {
  return {
    async look(wanted) {
      const { table } = await generations.reading(view)
      const keys = [...new Set(wanted.map(({ key }) => key))]
      const marks = new Map<string, number>()
      for (let at = 0; at < keys.length; at += PAGE) {
        const page = keys.slice(at, at + PAGE)
        const rows = new Map((await table.load(page.flatMap(markIds))).map((row) => [row.id, row]))
        for (const key of page) marks.set(key, markOf(key, rows))
      }
      const missing = lowest(wanted.filter(({ key, seq }) => (marks.get(key) ?? 0) < seq))
      return { table, missing, reached: (key) => `seq ${marks.get(key) ?? 0}` }
    },
  }
}

function byPosition(projection: AnyProjection, { generations, checkpoints, log }: ProgressOptions): Progress {
  const inline = projection.feed.kind === 'inline'
  const known = new Map<string, number>()
  const positionOf = async ({ key, seq }: Wanted) => {
    const name = `${seq} ${key}`
    const at = known.get(name) ?? (await log.positionOf(key, seq))
    if (known.size > KNOWN) known.clear()
    if (at !== undefined) known.set(name, at)
    return at
  }
  return {
    async look(wanted) {
      const { table, generation } = await generations.reading(projection.view)
      const checkpoint = await checkpoints.get(checkpointName(projection, generation))
      const position = inline ? Math.max(checkpoint, await highWaterOf(table)) : checkpoint
      const late: Wanted[] = []
      for (const each of wanted) {
        const at = await positionOf(each)
        if (at === undefined || at > position) late.push(each)
      }
      return { table, missing: lowest(late), reached: () => `position ${position}` }
    },
  }
}

function lowest(wanted: readonly Wanted[]): ReadonlyMap<string, number> {
  const seqs = new Map<string, number>()
  for (const { key, seq } of wanted) seqs.set(key, Math.min(seq, seqs.get(key) ?? seq))
  return seqs
}
