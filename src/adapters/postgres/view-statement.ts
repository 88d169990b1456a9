import { createHash } from 'node:crypto'
import { type Statement, statement } from './statement.ts'
import type { ViewColumn } from './view-column.ts'
import { quoted } from './view-name.ts'

/** The statements over the table of one generation. */
export interface ViewStatements {
  readonly load: Statement
  readonly get: Statement
  readonly count: Statement
  /** Returns the stored ids of the rows that were not refused. */
  readonly save: Statement
}

/** Which rows refuse what is not above them: those of one key, those of gathering views. */
export interface Guards {
  readonly bySeq: boolean
  readonly byPosition: boolean
}

export function viewStatements(table: string, columns: readonly ViewColumn[], guards: Guards): ViewStatements {
  const on = quoted(table)
  return {
    load: prepared(`SELECT id, whole, key, mark, data FROM ${on} WHERE id = ANY ($1::text[])`),
    get: prepared(`SELECT data FROM ${on} WHERE id = $1 AND live`),
    count: prepared(`SELECT count(*) AS count FROM ${on} WHERE live`),
    save: prepared(save(on, columns, guards)),
  }
}

/** Under a name that no other text has. */
export function prepared(text: string): Statement {
  return statement(`view-${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`, text)
}

/**
 * One statement for any number of rows, each compared with the one it meets when it is locked. They come in the order of
 * their ids, so that two who save the same ones wait for each other in one direction.
 */
function save(on: string, columns: readonly ViewColumn[], guards: Guards): string {
  const names = columns.map(({ name }) => quoted(name))
  const parameters = columns.map((_, at) => `, $${at + 6}::text[]`).join('')
  const fresh = columns.map((_, at) => `, v${at}`).join('')
  const values = columns.map(({ type }, at) => `, n.v${at}${type === 'text' ? '' : `::${type}`}`).join('')
  const all = ['whole', 'key', 'mark', 'data', 'live', ...names]
  return `INSERT INTO ${on} AS t (id, ${all.join(', ')})
    SELECT n.id, n.whole, n.key, n.mark, n.data, n.data IS NOT NULL${values}
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::json[]${parameters})
      AS n(id, whole, key, mark, data${fresh})
    ON CONFLICT (id) DO UPDATE SET ${all.map((name) => `${name} = excluded.${name}`).join(', ')}
    ${where(guards)} RETURNING id`
}

function where({ bySeq, byPosition }: Guards): string {
  const seq = bySeq ? 'excluded.mark > t.mark AND excluded.key = t.key' : 'true'
  const position = byPosition ? 'excluded.mark > t.mark' : 'true'
  if (bySeq && byPosition) return 'WHERE excluded.mark > t.mark AND (excluded.key IS NULL OR excluded.key = t.key)'
  return `WHERE CASE WHEN excluded.key IS NULL THEN ${position} ELSE ${seq} END`
}
