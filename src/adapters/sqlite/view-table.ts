import type { ViewShape } from 'obverse'
import type { Connection } from './connection.ts'
import { indexColumns } from './lookup.ts'
import { columnFromJson } from './scalar.ts'
import { columnName, indexName, tableName } from './view-name.ts'
import { areWordsMade, makeWords, NUMBER } from './words.ts'

const SQL_OF = `SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL`
const COLUMNS_OF = 'SELECT name FROM pragma_table_info(?)'

/** The distinct fields of the look-ups, and of what a search asks besides words. */
export function lookupFields({ lookups, search }: ViewShape): string[] {
  const fields = lookups.flatMap(({ by, order }) => (order === undefined ? by : [...by, order]))
  return [...new Set([...fields, ...(search?.by ?? [])])]
}

/** Are the table, its columns, its indexes and its words there? */
export function isMade(c: Connection, shape: ViewShape, generation: number): boolean {
  const columns = columnsOf(c, shape, generation)
  if (columns.size === 0) return false
  if (lookupFields(shape).some((field) => !columns.has(unquoted(columnName(field))))) return false
  if (!areWordsMade(c, shape, generation)) return false
  const there = indexesOf(c, shape, generation)
  const wanted = indexes(shape, generation)
  return there.size === wanted.length && wanted.every((sql) => there.has(sql))
}

/** Makes what is missing; fields that rows hold already are looked up too. Look-ups that went take their index along. */
export function make(c: Connection, shape: ViewShape, generation: number): void {
  const table = tableName(shape.name, generation)
  c.db.exec(`CREATE TABLE IF NOT EXISTS ${table} (
    id TEXT PRIMARY KEY, key TEXT, mark INTEGER NOT NULL, data TEXT ) STRICT`)
  const columns = columnsOf(c, shape, generation)
  const missing = lookupFields(shape).filter((field) => !columns.has(unquoted(columnName(field))))
  for (const field of missing) c.db.exec(`ALTER TABLE ${table} ADD COLUMN ${columnName(field)} ANY`)
  if (missing.length > 0) {
    const values = missing.map((field) => `${columnName(field)} = ${columnFromJson(field)}`)
    c.db.exec(`UPDATE ${table} SET ${values.join(', ')} WHERE data IS NOT NULL`)
  }
  if (shape.search && !columns.has(NUMBER)) c.db.exec(`ALTER TABLE ${table} ADD COLUMN ${NUMBER} INTEGER`)
  makeIndexes(c, shape, generation)
  if (!areWordsMade(c, shape, generation)) makeWords(c, shape, generation)
}

function makeIndexes(c: Connection, shape: ViewShape, generation: number): void {
  const there = indexesOf(c, shape, generation)
  const wanted = indexes(shape, generation)
  if (there.size === wanted.length && wanted.every((sql) => there.has(sql))) return
  for (const name of there.values()) c.db.exec(`DROP INDEX ${name}`)
  for (const sql of wanted) c.db.exec(sql)
}

function indexes(shape: ViewShape, generation: number): string[] {
  const table = tableName(shape.name, generation)
  const distinct = [...new Set(shape.lookups.map(indexColumns))]
  const made = distinct.map((columns) => `${table} (${columns}) WHERE data IS NOT NULL`)
  if (shape.search) made.push(`${table} (${NUMBER})`)
  return made.map((on, at) => `CREATE INDEX ${indexName(shape.name, generation, at)} ON ${on}`)
}

/** By the statement that made it, its name. */
function indexesOf(c: Connection, shape: ViewShape, generation: number): Map<string, string> {
  const rows = c.all<{ sql: string }>(SQL_OF, unquoted(tableName(shape.name, generation)))
  return new Map(rows.map(({ sql }) => [sql, sql.split(' ')[2] as string]))
}

function columnsOf(c: Connection, shape: ViewShape, generation: number): Set<string> {
  const rows = c.all<{ name: string }>(COLUMNS_OF, unquoted(tableName(shape.name, generation)))
  return new Set(rows.map(({ name }) => name))
}

function unquoted(name: string): string {
  return name.slice(1, -1)
}
