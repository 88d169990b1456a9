import { type Migration, ObverseError, type SchemaControl, type SqlConnection } from 'obverse'
import { Connection } from './connection.ts'
import type { Environment } from './environment.ts'
import { MIGRATION_TABLE, STEP_PREFIX, STEPS } from './schema.ts'
import { statement } from './statement.ts'
import { statementOf } from './tables.ts'
import { commit } from './transaction.ts'

/** One migration at a time in a database, whoever runs it. Lost with the session: who is killed holds nobody up. */
const KEY = '6283186538718'
const TRY_LOCK = statement('migration-lock', `SELECT pg_try_advisory_lock(${KEY}) AS mine`)
const UNLOCK = `SELECT pg_advisory_unlock(${KEY})`
/** Milliseconds that a process waits for another one's migration, and between its looks. */
const PATIENCE = 300_000
const LOOK = 100
/** Milliseconds: a step may take as long as it takes. */
const UNLIMITED = 2 ** 31 - 1

const TABLE_EXISTS = statement('migration-table', `SELECT to_regclass('obverse_migration') IS NOT NULL AS there`)
const APPLIED = statement('migration-applied', 'SELECT name FROM obverse_migration')
const RECORD = statement('migration-record', 'INSERT INTO obverse_migration (name) VALUES ($1)')
const THINGS = statement(
  'reset-things',
  `SELECT format('%I.%I', n.nspname, c.relname) AS name,
     CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
   ORDER BY c.relkind = 'S', c.relkind IN ('r', 'p')`,
)

export function schemaControl(environment: Environment): SchemaControl {
  const { sessions } = environment
  return {
    migrate: (steps) =>
      sessions.lend(async (connection) => {
        checkNames(steps)
        // most processes find nothing to do, and wait for nobody
        const before = await applied(connection)
        assertNotNewer(before, sessions.server)
        if (missing(steps, before).length === 0) return []
        return alone(connection, environment, async (patient) =>
          applyAll(patient, steps, await applied(patient), sessions.server),
        )
      }),
    pending: (steps) =>
      sessions.lend(async (connection) => {
        checkNames(steps)
        return missing(steps, await applied(connection))
      }),
    print: () =>
      sessions.lend(async (connection) => {
        const done = await applied(connection)
        const lacking = STEPS.filter(({ name }) => !done.has(name))
        if (lacking.length === 0) return []
        const record = lacking.map(({ name }) => `INSERT INTO obverse_migration (name) VALUES ('${name}')`)
        const statements = lacking.flatMap((step) => step.statements)
        return ['BEGIN', `SELECT pg_advisory_xact_lock(${KEY})`, MIGRATION_TABLE, ...statements, ...record, 'COMMIT']
      }),
    reset: () =>
      sessions.lend((connection) =>
        alone(connection, environment, async (patient) => {
          const things = await patient.all<{ name: string; kind: string }>(THINGS)
          const drops = things.map(({ name, kind }) => `DROP ${kind} IF EXISTS ${name} CASCADE`)
          if (drops.length > 0) await patient.execute(drops.join(';\n'))
        }),
      ),
  }
}

/**
 * Works under the lock, without a limit of time for its statements. Who waits for it looks now and then: a statement that
 * waits has a snapshot, which would hold up those who wait for the end of all older ones.
 */
async function alone<T>(
  connection: Connection,
  { runtime, sessions }: Environment,
  work: (patient: Connection) => Promise<T>,
): Promise<T> {
  const deadline = runtime.elapsed() + PATIENCE
  while (!(await connection.get<{ mine: boolean }>(TRY_LOCK))?.mine) {
    if (runtime.elapsed() > deadline) {
      throw new ObverseError(
        'STORE_BUSY',
        `${sessions.server} has been migrated by another process for more than ${PATIENCE / 1_000} s; look for what holds it up with \`obverse doctor\``,
      )
    }
    await new Promise<void>((resolve) => {
      runtime.after(LOOK, resolve)
    })
  }
  const { client } = connection
  const query = (config: object) => client.query({ ...config, query_timeout: UNLIMITED } as never)
  const { pipeline } = client as { pipeline?: boolean }
  try {
    return await work(new Connection({ pipeline, query } as never, sessions.server))
  } finally {
    await connection.execute(UNLOCK).catch(() => {}) // with a session that is lost the lock is, too
  }
}

async function applyAll(
  connection: Connection,
  steps: readonly Migration[],
  done: ReadonlySet<string>,
  server: string,
): Promise<string[]> {
  const names: string[] = []
  await connection.execute(MIGRATION_TABLE)
  for (const { name, statements } of STEPS) {
    if (done.has(name)) continue
    await applyStep(connection, name, async () => {
      await connection.execute(statements.join(';\n'))
    })
    names.push(name)
  }
  const tables: SqlConnection = { dialect: 'postgres', execute: (sql, values) => statementOf(connection, sql, values) }
  for (const step of steps) {
    if (done.has(step.name)) continue
    try {
      await applyStep(connection, step.name, () => step.up(tables))
    } catch (cause) {
      if (cause instanceof ObverseError && cause.kind === 'outage') throw cause
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new ObverseError(
        'MIGRATION_FAILED',
        `The migration ${step.name} on ${server} threw and was rolled back: ${why}`,
        {
          cause,
        },
      )
    }
    names.push(step.name)
  }
  return names
}

async function applyStep(connection: Connection, name: string, up: () => Promise<void>): Promise<void> {
  await connection.execute('BEGIN')
  try {
    await up()
    await connection.run(RECORD, [name])
    await commit(connection)
  } catch (error) {
    await connection.execute('ROLLBACK').catch(() => {})
    throw error
  }
}

async function applied(connection: Connection): Promise<ReadonlySet<string>> {
  const row = await connection.get<{ there: boolean }>(TABLE_EXISTS)
  if (!row?.there) return new Set()
  return new Set((await connection.all<{ name: string }>(APPLIED)).map(({ name }) => name))
}

function missing(steps: readonly Migration[], done: ReadonlySet<string>): string[] {
  return [...STEPS, ...steps].map(({ name }) => name).filter((name) => !done.has(name))
}

/** @throws {ObverseError} `SCHEMA_OUTDATED` when a newer version of Obverse has migrated the database */
function assertNotNewer(done: ReadonlySet<string>, server: string): void {
  const known = new Set(STEPS.map(({ name }) => name))
  for (const name of done) {
    if (!name.startsWith(STEP_PREFIX) || known.has(name)) continue
    throw new ObverseError(
      'SCHEMA_OUTDATED',
      `${server} was migrated by a newer version of Obverse (it has ${name}; this version knows up to ${STEPS.at(-1)?.name}); run that version`,
    )
  }
}

function checkNames(steps: readonly Migration[]): void {
  const seen = new Set<string>()
  for (const { name } of steps) {
    if (seen.has(name) || name.startsWith(STEP_PREFIX)) {
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        `The migration name ${JSON.stringify(name)} is ${seen.has(name) ? 'used twice' : `ours: it begins with ${STEP_PREFIX}`}; give every step a name of its own`,
      )
    }
    seen.add(name)
  }
}
