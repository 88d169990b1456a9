import { isoTime, type Migration, ObverseError, type SchemaControl, type SqlConnection } from 'obverse'
import type { Connection } from './connection.ts'
import type { Environment, OpenFile } from './environment.ts'
import { BROKER_STEP, MIGRATION_TABLE, STEP_PREFIX, STEPS } from './schema.ts'
import type { Tables } from './tables.ts'

/** Milliseconds that a process waits for another one's migration. */
const PATIENCE = 60_000

const TABLE_EXISTS = `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'obverse_migration'`
const APPLIED = 'SELECT name FROM obverse_migration'
const IS_APPLIED = 'SELECT 1 FROM obverse_migration WHERE name = ?'
const RECORD = 'INSERT INTO obverse_migration (name, at) VALUES (?, ?)'
/** What a full-text table keeps for itself goes with it. */
const THINGS = `SELECT iif(type = 'view', 'view', 'table') AS type, name FROM pragma_table_list WHERE schema = 'main'
  AND type <> 'shadow' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type <> 'view'`

export function schemaControl(environment: Environment, tables: Tables): SchemaControl {
  const { reader, writer } = environment
  const { connection: c } = writer
  const connection: SqlConnection = { dialect: 'sqlite', execute: async (sql, values) => tables.execute(sql, values) }

  return {
    async migrate(steps) {
      checkNames(steps)
      const done = await reader.read(appliedSteps)
      assertNotNewer(done, writer.file)
      assertNot(done, BROKER_STEP.name, `${writer.file} holds the queues of sqliteBroker()`)
      const names: string[] = []
      for (const { name, statements } of STEPS) {
        if (done.has(name)) continue
        const run = () => c.db.exec(statements.join(';\n'))
        if (await applyStep(environment, name, run)) names.push(name)
      }
      for (const step of steps) {
        if (done.has(step.name)) continue
        try {
          if (await applyStep(environment, step.name, () => step.up(connection))) names.push(step.name)
        } catch (cause) {
          if (isOutage(cause)) throw cause
          const why = cause instanceof Error ? cause.message : String(cause)
          throw new ObverseError(
            'MIGRATION_FAILED',
            `The migration ${step.name} of ${writer.file} threw and was rolled back: ${why}`,
            { cause },
          )
        }
      }
      return names
    },
    async pending(steps) {
      checkNames(steps)
      const done = await reader.read(appliedSteps)
      return [...STEPS, ...steps].map(({ name }) => name).filter((name) => !done.has(name))
    },
    async print() {
      const done = await reader.read(appliedSteps)
      const missing = STEPS.filter(({ name }) => !done.has(name)).flatMap(({ statements }) => statements)
      return missing.length > 0 ? [MIGRATION_TABLE, ...missing] : []
    },
    reset: () =>
      writer.submit(
        () => {
          for (const { type, name } of c.all<{ type: string; name: string }>(THINGS)) {
            c.db.exec(`DROP ${type} "${name.replaceAll('"', '""')}"`)
          }
        },
        { patience: PATIENCE, unchecked: true },
      ),
  }
}

/** One step, in a transaction of its own, unless another process was first. True: it was applied here. */
export function applyStep(file: OpenFile, name: string, up: () => Promise<void> | void): Promise<boolean> {
  const { writer, runtime } = file
  const { connection: c } = writer
  return writer.submit(
    async () => {
      c.db.exec(MIGRATION_TABLE)
      if (c.get(IS_APPLIED, name)) return false
      await up()
      // a step that caught the error of a ROLLBACK of its own must not be recorded by itself
      if (!c.db.isTransaction) throw new Error('a statement of it rolled back the whole transaction')
      c.run(RECORD, name, isoTime(runtime.now()))
      return true
    },
    { patience: PATIENCE },
  )
}

/** Names of the steps that the file has. */
export function appliedSteps(c: Connection): ReadonlySet<string> {
  if (!c.get(TABLE_EXISTS)) return new Set()
  return new Set(c.all<{ name: string }>(APPLIED).map(({ name }) => name))
}

/** @throws {ObverseError} `SCHEMA_OUTDATED` when a newer version of Obverse has migrated the file */
export function assertNotNewer(applied: ReadonlySet<string>, file: string): void {
  const known = new Set([...STEPS, BROKER_STEP].map(({ name }) => name))
  for (const name of applied) {
    if (!name.startsWith(STEP_PREFIX) || known.has(name)) continue
    throw new ObverseError(
      'SCHEMA_OUTDATED',
      `${file} was migrated by a newer version of Obverse (it has ${name}; this version knows up to ${STEPS.at(-1)?.name}); run that version`,
    )
  }
}

/** A store and a broker have tables of one name with different rows: each needs a file of its own. */
export function assertNot(applied: ReadonlySet<string>, step: string, what: string): void {
  if (applied.has(step)) throw new ObverseError('CONFIGURATION_INVALID', `${what}; give the other a file of its own`)
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

function isOutage(error: unknown): boolean {
  return error instanceof ObverseError && error.kind === 'outage'
}
