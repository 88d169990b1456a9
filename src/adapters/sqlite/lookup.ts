import type { FoundRow, Lookup, Question, Scalar } from 'obverse'
import type { Connection, SqlValue } from './connection.ts'
import { columnValue, scalarOf } from './scalar.ts'
import { columnName } from './view-name.ts'

interface Row {
  readonly id: string
  readonly data: string
}

/** Columns of the index that a look-up needs, the row id last, so that every page is one range of it. */
export function indexColumns({ by, order }: Lookup): string {
  return [...by, ...(order === undefined ? [] : [order])].map(columnName).concat('id').join(', ')
}

/**
 * One page of a look-up. `null` comes before everything else and compares with nothing, so a page may consist of two
 * ranges: within the nulls, and within the rest.
 */
export function find(c: Connection, table: string, question: Question): FoundRow[] {
  const { lookup, equals, after, limit } = question
  const { order, descending } = lookup
  const select = new Select(c, table, lookup, equals.map(columnValue))
  let rows: Row[]
  if (order === undefined) {
    rows = after ? select.rows(limit, `id ${descending ? '<' : '>'} ?`, after.id) : select.rows(limit)
  } else {
    const column = columnName(order)
    const place = after && columnValue(after.order)
    if (!after || place === undefined) rows = select.rows(limit)
    else if (place === null) {
      rows = select.rows(limit, `${column} IS NULL AND id ${descending ? '<' : '>'} ?`, after.id)
      if (!descending && rows.length < limit) {
        rows.push(...select.rows(limit - rows.length, `${column} IS NOT NULL`))
      }
    } else {
      rows = select.rows(limit, `(${column}, id) ${descending ? '<' : '>'} (?, ?)`, place, after.id)
      if (descending && rows.length < limit) rows.push(...select.rows(limit - rows.length, `${column} IS NULL`))
    }
  }
  return rows.map(({ id, data }) => {
    const parsed = JSON.parse(data) as Record<string, unknown>
    return { id, order: order === undefined ? id : scalarOf(parsed[order]), data: parsed }
  })
}

/** How many rows a look-up has. */
export function size(c: Connection, table: string, { by }: Lookup, equals: readonly Scalar[]): number {
  const sql = `SELECT count(*) AS count FROM ${table} WHERE ${conditions(by)}`
  return (c.get<{ count: number }>(sql, ...equals.map(columnValue)) as { count: number }).count
}

/** Live rows whose fields have the values that are bound; `IS` finds `null` too. */
export function conditions(by: readonly string[], table = ''): string {
  return [`${table}data IS NOT NULL`, ...by.map((field) => `${table}${columnName(field)} IS ?`)].join(' AND ')
}

class Select {
  readonly #c: Connection
  readonly #from: string
  readonly #orderBy: string
  readonly #equals: readonly SqlValue[]

  constructor(c: Connection, table: string, { by, order, descending }: Lookup, equals: readonly SqlValue[]) {
    const turn = descending ? ' DESC' : ''
    this.#c = c
    this.#from = `SELECT id, data FROM ${table} WHERE ${conditions(by)}`
    this.#orderBy = `ORDER BY ${order === undefined ? '' : `${columnName(order)}${turn}, `}id${turn} LIMIT ?`
    this.#equals = equals
  }

  rows(limit: number, range?: string, ...values: SqlValue[]): Row[] {
    const and = range === undefined ? '' : ` AND ${range}`
    return this.#c.all<Row>(`${this.#from}${and} ${this.#orderBy}`, ...this.#equals, ...values, limit)
  }
}
