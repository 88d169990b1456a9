import pg from 'pg'
import type { Sql } from '../sql.ts'

/** `bigint` as a number. */
const INT8 = 20

/** A PostgreSQL database; a connection that is lost is made again by the next look. */
export function postgresDatabase(url: string): Sql {
  const types = new pg.TypeOverrides()
  types.setTypeParser(INT8, Number)
  const pool = new pg.Pool({
    connectionString: url,
    max: 2,
    connectionTimeoutMillis: 1_000,
    query_timeout: 5_000,
    application_name: 'faults',
    types,
  })
  pool.on('error', () => {})
  return {
    dialect: 'postgres',
    async all<Row>(text: string, ...values: readonly (string | number)[]) {
      let place = 0
      const { rows } = await pool.query(
        text.replaceAll('?', () => `$${++place}`),
        [...values],
      )
      return rows as Row[]
    },
    close: () => pool.end(),
  }
}
