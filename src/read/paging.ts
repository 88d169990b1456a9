import { ObverseError } from '../errors.ts'
import type { Place } from './cursor.ts'
import type { Page } from './page.ts'
import type { FoundRow } from './question.ts'

/** Rows of one page: by default and at most. */
const PAGE = { normal: 50, most: 1_000 } as const

/** @throws {ObverseError} `VALIDATION_FAILED` naming `limit` */
export function limitOf(view: string, limit: number = PAGE.normal): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= PAGE.most) return limit
  throw new ObverseError(
    'VALIDATION_FAILED',
    `View ${view} was asked for ${limit} rows; a page has 1 to ${PAGE.most}`,
    {
      fields: { limit: [`must be a whole number from 1 to ${PAGE.most}`] },
    },
  )
}

/** One page, and the cursor of the next if anything is left. */
export async function readPage<Row>(
  limit: number,
  after: Place | undefined,
  ask: (after: Place | undefined, limit: number) => Promise<readonly FoundRow[]>,
  issue: (last: Place) => string,
): Promise<Page<Row>> {
  // one more than asked says whether there is a next page
  const found = await ask(after, Math.min(limit + 1, PAGE.most))
  const last = found[limit - 1]
  const page: Page<Row> = { rows: found.slice(0, limit).map(({ data }) => data as Row) }
  if (!last) return page
  const place = { order: last.order, id: last.id }
  const more = found.length > limit || (limit === PAGE.most && (await ask(place, 1)).length > 0)
  return more ? { ...page, next: issue(place) } : page
}
