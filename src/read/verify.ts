import { isDeepStrictEqual } from 'node:util'
import type { EventEnvelope } from '../message/envelope.ts'
import { type Runtime, sleep } from '../runtime/clock.ts'
import type { Checkpoints } from './checkpoint.ts'
import type { Log } from './feed.ts'
import { checkpointName, type Generations } from './generation.ts'
import type { Parking } from './parking.ts'
import { createPlainFold } from './plain-fold.ts'
import type { AnyProjection } from './projection.ts'
import type { ViewTable } from './view.ts'

export interface Verified {
  readonly projection: string
  readonly rows: number
  /** Ids of rows that differ from the fold; at most 100 of each kind. */
  readonly different: readonly string[]
  readonly missing: readonly string[]
  readonly extra: readonly string[]
}

const MOST = 100
const PAGE = 1_000
/** Looks at rows that differ, with what the log has gained meanwhile, and the pause between two. */
const LOOKS = 10
const PAUSE = 100

/**
 * Compares the served rows with a fold of the whole log that shares nothing with the way they were made. Rows that
 * are being written are looked at again for a second. What a projection that is fed from the log has not come to yet
 * is no difference. Keeps all rows of the view in memory.
 */
export async function verify({
  projection,
  generations,
  log,
  checkpoints,
  parking,
  runtime,
}: {
  readonly projection: AnyProjection
  readonly generations: Generations
  readonly log: Log
  readonly checkpoints: Pick<Checkpoints, 'get'>
  readonly parking: Pick<Parking, 'givenUp'>
  readonly runtime: Runtime
}): Promise<Verified> {
  const { table, generation } = await generations.look(projection.view)
  const isFollower = projection.feed.kind === 'log'
  const fold = createPlainFold(projection, (event) => parking.givenUp(event))
  const types = [...projection.types]
  let position = 0
  const readOn = async () => {
    const touched = new Set<string>()
    const end = isFollower ? await checkpoints.get(checkpointName(projection, generation)) : Number.POSITIVE_INFINITY
    for (;;) {
      const page = await log.after(position, PAGE, types)
      const to = Math.min(end, Math.max(page.scannedTo, page.events.at(-1)?.position ?? 0))
      if (to <= position) return touched
      const events: readonly EventEnvelope[] = page.events.filter((event) => (event.position ?? 0) <= to)
      for (const event of events) for (const id of await fold.take(event)) touched.add(id)
      position = to
    }
  }
  await readOn()
  let doubtful: Iterable<string> = fold.ids()
  let found = await compare(fold.rows, doubtful, table)
  let extra = await extras(fold.rows, table)
  for (let look = 1; look < LOOKS && found.different.length + found.missing.length + extra.length > 0; look += 1) {
    await sleep(runtime, PAUSE)
    doubtful = new Set([...found.different, ...found.missing, ...(await readOn())])
    found = await compare(fold.rows, doubtful, table)
    extra = await extras(fold.rows, table)
  }
  return {
    projection: projection.name,
    rows: await table.count(),
    different: found.different.slice(0, MOST),
    missing: found.missing.slice(0, MOST),
    extra: extra.slice(0, MOST),
  }
}

type Data = Record<string, unknown>

async function compare(rows: ReadonlyMap<string, Data>, ids: Iterable<string>, table: ViewTable) {
  const different: string[] = []
  const missing: string[] = []
  const all = [...ids]
  for (let at = 0; at < all.length; at += PAGE) {
    const page = all.slice(at, at + PAGE)
    const stored = new Map((await table.load(page)).map(({ id, data }) => [id, data]))
    for (const id of page) {
      const should = rows.get(id)
      const is = stored.get(id) ?? undefined
      if (should && !is) missing.push(id)
      else if (should ? !isDeepStrictEqual(plain(is), plain(should)) : is) different.push(id)
    }
  }
  return { different, missing }
}

/** As a store gives it back: -0 is 0, prototypes are gone. */
function plain(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data))
}

/** Rows that no event makes: named where the store can list rows by id, counted otherwise. */
async function extras(rows: ReadonlyMap<string, Data>, table: ViewTable): Promise<readonly string[]> {
  const surplus = (await table.count()) - rows.size
  if (surplus <= 0) return []
  const ids: string[] = []
  try {
    let last: string | undefined
    for (;;) {
      const page = await table.find({
        lookup: { by: [], descending: false },
        equals: [],
        limit: PAGE,
        ...(last !== undefined && { after: { order: null, id: last } }),
      })
      for (const { id } of page) if (!rows.has(id)) ids.push(id)
      last = page.at(-1)?.id
      if (page.length < PAGE || ids.length > MOST) return ids
    }
  } catch {
    return [`(${surplus} rows that no event makes)`]
  }
}
