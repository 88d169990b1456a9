import type { ViewShape } from 'obverse'
import { bigints, texts } from './array.ts'
import type { Connection } from './connection.ts'
import type { Environment } from './environment.ts'
import { storeError } from './errors.ts'
import { type Statement, statement } from './statement.ts'
import { columnOf, columnsOf, type ViewColumn } from './view-column.ts'
import { indexesOf } from './view-index.ts'
import { quoted, tableName } from './view-name.ts'

/** What a table has, whoever made it. */
export interface ViewLayout {
  readonly columns: readonly ViewColumn[]
  /** Names of those that can be used. */
  readonly indexes: ReadonlySet<string>
}

/** One process at a time makes tables: beside each other, `IF NOT EXISTS` fails. */
const LOCK = 'SELECT pg_advisory_lock(6283186538720)'
const UNLOCK = 'SELECT pg_advisory_unlock(6283186538720)'
/** A table is locked whole for a moment; whoever cannot have that soon lets the others go on, and fails. */
const PATIENCE = "SET LOCAL lock_timeout = '5s'"
/** Milliseconds. */
const UNLIMITED = 2 ** 31 - 1
/** Rows of a batch whose new columns are filled. */
const BATCH = 500

const LAYOUT = statement(
  'view-layout',
  `WITH made AS (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = current_schema() AND c.relname = $1 AND c.relkind IN ('r', 'p'))
   SELECT 'column' AS kind, a.attname::text AS name, col_description(a.attrelid, a.attnum) AS comment
   FROM made JOIN pg_attribute a ON a.attrelid = made.oid WHERE a.attnum > 0 AND NOT a.attisdropped
   UNION ALL
   SELECT 'index', c.relname::text, NULL FROM made JOIN pg_index i ON i.indrelid = made.oid
   JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indisvalid`,
)

/** What is there; `undefined`: no such table. */
export async function layoutOf(
  connection: { all<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]> },
  table: string,
): Promise<ViewLayout | undefined> {
  interface Part {
    readonly kind: 'column' | 'index'
    readonly name: string
    readonly comment: string | null
  }
  const parts = await connection.all<Part>(LAYOUT, [table])
  if (parts.length === 0) return undefined
  const columns: ViewColumn[] = []
  for (const { kind, name, comment } of parts) {
    const column = kind === 'column' ? columnOf(name, comment) : undefined
    if (column) columns.push(column)
  }
  return { columns, indexes: new Set(parts.filter(({ kind }) => kind === 'index').map(({ name }) => name)) }
}

/** Are the columns and indexes there that a view needs? Others may be there too. */
export function isMade(layout: ViewLayout | undefined, shape: ViewShape, generation: number): boolean {
  if (!layout) return false
  const names = new Set(layout.columns.map(({ name }) => name))
  return (
    columnsOf(shape).every(({ name }) => names.has(name)) &&
    indexesOf(shape, generation).every(({ name }) => layout.indexes.has(name))
  )
}

/**
 * Makes what is missing; of rows that are there already, new columns are filled. Other processes go on saving meanwhile: once a
 * column is there, they fill it too. What a view no longer needs stays, because another version may.
 */
export async function make(
  { sessions }: Pick<Environment, 'sessions'>,
  shape: ViewShape,
  generation: number,
): Promise<ViewLayout> {
  const table = tableName(shape.name, generation)
  return underLock(sessions, async (connection) => {
    let layout = await layoutOf(connection, table)
    if (!layout) {
      await together(connection, [
        createTable(table, columnsOf(shape)),
        ...columnsOf(shape).map((column) => comment(table, column)),
        ...indexesOf(shape, generation).map(({ sql }) => sql),
      ])
    } else if (!isMade(layout, shape, generation)) {
      const { columns, indexes } = layout
      const names = new Set(columns.map(({ name }) => name))
      const missing = columnsOf(shape).filter(({ name }) => !names.has(name))
      if (missing.length > 0)
        await together(
          connection,
          missing.flatMap((column) => addColumn(table, column)),
        )
      // an index that is missing: whoever added its columns may not have come to fill them
      await fill(connection, table, columnsOf(shape))
      for (const { name, sql } of indexesOf(shape, generation)) {
        if (!indexes.has(name))
          await unlimited(connection, sessions.server, `DROP INDEX IF EXISTS ${quoted(name)}; ${sql}`)
      }
    }
    layout = await layoutOf(connection, table)
    return layout as ViewLayout
  })
}

export async function dropTable({ sessions }: Pick<Environment, 'sessions'>, table: string): Promise<void> {
  await underLock(sessions, (connection) => together(connection, [`DROP TABLE IF EXISTS ${quoted(table)}`]))
}

export async function underLock<T>(
  sessions: Environment['sessions'],
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  return sessions.lend(async (connection) => {
    await connection.execute(LOCK)
    try {
      return await work(connection)
    } finally {
      await connection.execute(UNLOCK).catch(() => {})
    }
  })
}

export async function together(connection: Connection, statements: readonly string[]): Promise<void> {
  try {
    await connection.execute(['BEGIN', PATIENCE, ...statements, 'COMMIT'].join(';\n'))
  } catch (error) {
    await connection.execute('ROLLBACK').catch(() => {})
    throw error
  }
}

/** `whole`: the row id where `id` is cut. Documents are kept to the letter. Room in each page for the next version of its rows. */
function createTable(table: string, columns: readonly ViewColumn[]): string {
  const own = columns.map(({ name, type }) => `,\n  ${quoted(name)} ${typeOf(type)} NOT NULL`)
  return `CREATE TABLE ${quoted(table)} (
  id    text COLLATE "C" PRIMARY KEY,
  whole text COLLATE "C",
  key   text COLLATE "C",
  mark  bigint NOT NULL,
  data  json,
  live  boolean NOT NULL${own.join('')}
) WITH (fillfactor = 70)`
}

/** Rows that are there take the default, and those to come must bring a value. */
function addColumn(table: string, column: ViewColumn): string[] {
  const [on, name] = [quoted(table), quoted(column.name)]
  return [
    `ALTER TABLE ${on} ADD COLUMN ${name} ${typeOf(column.type)} NOT NULL DEFAULT ''`,
    `ALTER TABLE ${on} ALTER COLUMN ${name} DROP DEFAULT`,
    comment(table, column),
  ]
}

function comment(table: string, { name, holds }: ViewColumn): string {
  const text = `E'${holds.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
  return `COMMENT ON COLUMN ${quoted(table)}.${quoted(name)} IS ${text}`
}

function typeOf(type: ViewColumn['type']): string {
  return type === 'text' ? 'text COLLATE "C"' : type
}

/** From row to row by id, locked in the order in which savers lock; one that was saved meanwhile has its values already. */
async function fill(connection: Connection, table: string, columns: readonly ViewColumn[]): Promise<void> {
  interface Row {
    readonly id: string
    readonly mark: number
    readonly data: Record<string, unknown>
  }
  if (columns.length === 0) return
  const on = quoted(table)
  const page = (from: string): Statement => ({
    name: '',
    text: `SELECT id, mark, data FROM ${on} WHERE live ${from} ORDER BY id LIMIT ${BATCH}`,
  })
  const values = columns.map(({ type }, at) => `n.v${at}${type === 'text' ? '' : `::${type}`}`)
  const changes = columns.map(({ name }, at) => ({ column: quoted(name), value: values[at] }))
  const update: Statement = {
    name: '',
    text: `WITH locked AS MATERIALIZED (SELECT id FROM ${on} WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE)
      UPDATE ${on} AS t SET ${changes.map(({ column, value }) => `${column} = ${value}`).join(', ')}
      FROM locked JOIN unnest($1::text[], $2::bigint[]${columns.map((_, at) => `, $${at + 3}::text[]`).join('')})
        AS n(id, mark${columns.map((_, at) => `, v${at}`).join('')}) ON n.id = locked.id
      WHERE t.id = n.id AND t.mark = n.mark
        AND (${changes.map(({ column, value }) => `t.${column} IS DISTINCT FROM ${value}`).join(' OR ')})`,
  }
  let rows = await connection.all<Row>(page(''))
  for (let last = rows.at(-1); last; last = rows.at(-1)) {
    await connection.run(update, [
      texts(rows.map(({ id }) => id)),
      bigints(rows.map(({ mark }) => mark)),
      ...columns.map((column) => texts(rows.map(({ data }) => column.textOf(data)))),
    ])
    rows = await connection.all<Row>(page('AND id > $1'), [last.id])
  }
}

/** However long an index over many rows takes. */
async function unlimited(connection: Connection, server: string, text: string): Promise<void> {
  try {
    await connection.client.query({ text, query_timeout: UNLIMITED } as never)
  } catch (error) {
    throw storeError(error, server)
  }
}
