import { ObverseError } from '../errors.ts'
import { issueCursor, readCursor } from './cursor.ts'
import { lookupFor } from './lookup.ts'
import type { FindOptions, Page, ViewReader } from './page.ts'
import type { AnyView, FoundRow, ViewTable } from './view.ts'

/** Rows of one page: by default and at most. */
const PAGE = { normal: 50, most: 1_000 } as const

/** Reads one view; `table` gives the generation, the same for all reads of one query. */
export function createReader<Row = Record<string, unknown>>(
  view: AnyView,
  table: () => Promise<ViewTable>,
): ViewReader<Row> {
  return {
    async get(id) {
      if (typeof id !== 'string') return undefined
      return (await (await table()).get(id)) as Row | undefined
    },
    async find(options = {}) {
      const limit = limitOf(view, options.limit)
      const asked = lookupFor(view, options as FindOptions<Record<string, unknown>>)
      const after = options.cursor === undefined ? undefined : readCursor(view.name, asked, options.cursor)
      const rows = await table()
      // one more than asked says whether there is a next page
      const ask = (from: typeof after, most: number) =>
        rows.find({ ...asked, limit: most, ...(from && { after: from }) })
      const found = await ask(after, Math.min(limit + 1, PAGE.most))
      const last = found[limit - 1]
      const more =
        last !== undefined &&
        (found.length > limit || (limit === PAGE.most && (await ask(placeOf(last), 1)).length > 0))
      const page: Page<Row> = { rows: found.slice(0, limit).map(({ data }) => data as Row) }
      return more ? { ...page, next: issueCursor(view.name, asked, placeOf(last)) } : page
    },
  }
}

function placeOf({ order, id }: FoundRow) {
  return { order, id }
}

function limitOf(view: AnyView, limit: number = PAGE.normal): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= PAGE.most) return limit
  throw new ObverseError(
    'VALIDATION_FAILED',
    `View ${view.name} was asked for ${limit} rows; a page has 1 to ${PAGE.most}`,
    { fields: { limit: [`must be a whole number from 1 to ${PAGE.most}`] } },
  )
}
