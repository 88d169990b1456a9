import type { FoundRow, Lookup, Question, Scalar } from 'obverse'
import { idOf, storedId } from './row-id.ts'
import { columnText, scalarOf } from './scalar.ts'
import { columnName, quoted } from './view-name.ts'
import type { Runner } from './view-rows.ts'
import { prepared } from './view-statement.ts'

/** As many rows as a page has at most. */
const MOST = 1_000

export interface RowFound {
  readonly id: string
  readonly whole: string | null
  readonly data: Record<string, unknown>
}

/** One page of a look-up: one range of its index. */
export async function find(
  runner: Runner,
  table: string,
  { lookup, equals, after, limit }: Question,
): Promise<FoundRow[]> {
  const { by, order, descending } = lookup
  const values: unknown[] = equals.map(columnText)
  const place = order === undefined ? ['id'] : [quoted(columnName(order)), 'id']
  let range = ''
  if (after) {
    const from = order === undefined ? [storedId(after.id)] : [columnText(after.order), storedId(after.id)]
    const numbers = from.map((_, at) => `$${values.length + at + 1}`)
    range = ` AND (${place.join(', ')}) ${descending ? '<' : '>'} (${numbers.join(', ')})`
    values.push(...from)
  }
  const turn = place.map((column) => (descending ? `${column} DESC` : column)).join(', ')
  const columns = ['id', 'whole', 'data', ...place.slice(0, -1)].join(', ')
  values.push(limit)
  // the limit inside is known to the planner, which would guess one that is given, and sort
  const found = await runner.all<RowFound>(
    prepared(
      `SELECT id, whole, data FROM (SELECT ${columns} FROM ${quoted(table)} WHERE ${conditions(by)}${range}
       ORDER BY ${turn} LIMIT ${MOST}) AS page ORDER BY ${turn} LIMIT $${values.length}`,
    ),
    values,
  )
  return found.map((row) => ({
    id: idOf(row),
    order: order === undefined ? null : scalarOf(row.data[order]),
    data: row.data,
  }))
}

/** How many rows a look-up has. */
export async function size(runner: Runner, table: string, { by }: Lookup, equals: readonly Scalar[]): Promise<number> {
  const counted = prepared(`SELECT count(*) AS count FROM ${quoted(table)} WHERE ${conditions(by)}`)
  return (await runner.get<{ count: number }>(counted, equals.map(columnText)))?.count ?? 0
}

/** Live rows whose fields have the values of the parameters from `$1` on. */
export function conditions(by: readonly string[]): string {
  return ['live', ...by.map((field, at) => `${quoted(columnName(field))} = $${at + 1}`)].join(' AND ')
}
