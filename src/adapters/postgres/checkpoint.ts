import { createHash } from 'node:crypto'
import type { Checkpoints, Generation } from 'obverse'
import type { Connection } from './connection.ts'
import { guards } from './environment.ts'
import { type Statement, statement } from './statement.ts'
import type { ViewEnvironment } from './view-environment.ts'

/** Names of the tables: those of a store, or those that views in a database of their own keep beside them. */
export interface CheckpointTables {
  readonly checkpoint: string
  readonly generation: string
}

export const STORE_TABLES: CheckpointTables = { checkpoint: 'obverse_checkpoint', generation: 'obverse_generation' }

/** Whoever fills the served generation in a transaction shares it; a switch has it alone. */
const SHARE = statement('serving-share', 'SELECT pg_advisory_xact_lock_shared($1::bigint)::text AS shared')

type Own = Record<'get' | 'all' | 'start' | 'move' | 'set' | 'remove' | 'generation' | 'begin' | 'replace', Statement>

const statements = (tables: CheckpointTables): Own => {
  const { checkpoint, generation } = tables
  const own = (name: string, text: string) => statement(`${checkpoint}-${name}`, text)
  const columns = 'view, serving, building, follow_to, previous'
  // a function of the list is evaluated before a row is locked: a switch never waits with a lock that others want
  const next =
    'SELECT $1, $2::integer, $3::integer, $4::bigint, $5::integer FROM (SELECT pg_advisory_xact_lock($6)) AS alone'
  return {
    get: own('get', `SELECT position FROM ${checkpoint} WHERE name = $1`),
    all: own('all', `SELECT name, position FROM ${checkpoint} ORDER BY name`),
    start: own(
      'start',
      `INSERT INTO ${checkpoint} AS c (name, position) VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET position = excluded.position WHERE c.position = 0`,
    ),
    move: own('move', `UPDATE ${checkpoint} SET position = $2 WHERE name = $1 AND position = $3`),
    set: own(
      'set',
      `INSERT INTO ${checkpoint} (name, position) VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET position = excluded.position`,
    ),
    remove: own('remove', `DELETE FROM ${checkpoint} WHERE name = $1`),
    generation: own('generation', `SELECT serving, building, follow_to, previous FROM ${generation} WHERE view = $1`),
    begin: own(
      'generation-begin',
      `INSERT INTO ${generation} AS g (${columns}) ${next}
       ON CONFLICT (view) DO UPDATE SET serving = excluded.serving, building = excluded.building,
         follow_to = excluded.follow_to, previous = excluded.previous
       WHERE g.serving = 1 AND g.building IS NULL AND g.follow_to IS NULL AND g.previous IS NULL`,
    ),
    replace: own(
      'generation-replace',
      `UPDATE ${generation} AS g SET serving = n.serving, building = n.building, follow_to = n.follow_to,
         previous = n.previous
       FROM (${next}) AS n(${columns})
       WHERE g.view = n.view AND g.serving = $7 AND g.building IS NOT DISTINCT FROM $8::integer
         AND g.follow_to IS NOT DISTINCT FROM $9::bigint AND g.previous IS NOT DISTINCT FROM $10::integer`,
    ),
  }
}

export function checkpoints(environment: ViewEnvironment, tables: CheckpointTables = STORE_TABLES): Checkpoints {
  const { reader, writer } = environment
  const own = statements(tables)
  const fenced = guards(environment, 'checkpoint-fence')
  return {
    get: async (name) => (await reader.get<{ position: number }>(own.get, [name]))?.position ?? 0,
    async advance(name, from, to) {
      if (!fenced) return (await writer.run(own.set, [name, to])) === 1
      const moved = from === 0 ? writer.run(own.start, [name, to]) : writer.run(own.move, [name, to, from])
      return (await moved) === 1
    },
    async remove(name) {
      await writer.run(own.remove, [name])
    },
    all: () => reader.all<{ name: string; position: number }>(own.all),
    generation: async (view) => generationOf(await reader.get<Row>(own.generation, [view])),
    async setGeneration(view, expected, next) {
      const values = [view, ...valuesOf(next), lockOf(view)]
      const unseen = expected.serving === 1 && valuesOf(expected).every((value, at) => at === 0 || value === null)
      return environment.sessions.lend(
        async (connection) =>
          (await (unseen
            ? connection.run(own.begin, values)
            : connection.run(own.replace, [...values, ...valuesOf(expected)]))) === 1,
      )
    },
  }
}

/**
 * The generation that is served as long as the transaction lasts. It is read beside the transaction, whose snapshot may be
 * older than the last switch.
 */
export async function servingWithin(
  { reader }: Pick<ViewEnvironment, 'reader'>,
  connection: Connection,
  view: string,
): Promise<number> {
  await connection.all(SHARE, [lockOf(view)])
  return generationOf(await reader.get<Row>(SERVING, [view])).serving
}

const SERVING = statements(STORE_TABLES).generation

interface Row {
  readonly serving: number
  readonly building: number | null
  readonly follow_to: number | null
  readonly previous: number | null
}

function generationOf(row: Row | undefined): Generation {
  if (!row) return { serving: 1 }
  return {
    serving: row.serving,
    ...(row.building !== null && { building: row.building }),
    ...(row.follow_to !== null && { followTo: row.follow_to }),
    ...(row.previous !== null && { previous: row.previous }),
  }
}

function valuesOf({ serving, building, followTo, previous }: Generation): (number | null)[] {
  return [serving, building ?? null, followTo ?? null, previous ?? null]
}

/** A number of 64 bits, as text. */
function lockOf(view: string): string {
  return createHash('sha1').update(`obverse generation\n${view}`).digest().readBigInt64BE(0).toString()
}
