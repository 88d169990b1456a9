import type { Finding } from 'obverse'
import type { Alarms } from './alarms.ts'
import type { Environment } from './environment.ts'
import { examineRights } from './examine-rights.ts'
import { examineSessions } from './examine-sessions.ts'
import { statement } from './statement.ts'

/** Tested with these; what is older is refused where views are examined. */
const NEWEST = 18
/** Milliseconds by which two clocks may differ before somebody should know. */
const CLOCKS = 1_000

const SERVER = statement(
  'examine-server',
  `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int / 10000 AS major,
     current_setting('fsync') AS fsync, current_setting('full_page_writes') AS "fullPageWrites",
     current_setting('synchronous_commit') AS "synchronousCommit",
     current_setting('default_transaction_read_only') AS "readOnly", current_user AS "user",
     1000 * extract(epoch FROM clock_timestamp())::float8 AS time`,
)

interface Server {
  readonly version: string
  readonly major: number
  readonly fsync: string
  readonly fullPageWrites: string
  readonly synchronousCommit: string
  readonly readOnly: string
  readonly user: string
  readonly time: number
}

/** What of the server, its sessions and our rights is not as the store needs it, and what to do. */
export async function examine(environment: Environment, alarms: Alarms): Promise<readonly Finding[]> {
  const { reader, runtime } = environment
  await reader.connection() // so that the time measured is that of the statement
  const before = runtime.now()
  const server = (await reader.get<Server>(SERVER)) as Server
  const after = runtime.now()
  return [
    ...durability(server),
    ...defaults(server),
    clock(server, before, after),
    ...(await examineRights(environment, server.user)),
    ...(await examineSessions(environment, server.user)),
    ...(await alarms.look()),
  ]
}

function durability({ version, major, fsync, fullPageWrites, synchronousCommit }: Server): Finding[] {
  const subject = 'postgres'
  const findings: Finding[] = []
  const wrong = (level: 'warning' | 'error', says: string, remedy: string) =>
    findings.push({ level, subject, says, remedy })
  if (major > NEWEST) {
    wrong(
      'warning',
      `PostgreSQL ${version}; this version of Obverse was written for 13 to ${NEWEST}`,
      'Look for a newer one',
    )
  }
  if (fsync !== 'on') {
    const says = 'fsync is off: a crash of the machine can lose what was acknowledged, and the whole database with it'
    wrong('error', says, 'Run ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf()')
  }
  if (fullPageWrites !== 'on') {
    const says = 'full_page_writes is off: a crash of the machine can leave broken pages'
    wrong('error', says, 'Run ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf()')
  }
  if (synchronousCommit === 'off') {
    const says = 'synchronous_commit is off: a crash loses the last commits, although they were acknowledged'
    wrong('error', says, 'Set it to on for the user or the database: ALTER ROLE … SET synchronous_commit = on')
  }
  if (findings.length > 0) return findings
  const says = `PostgreSQL ${version}; what is acknowledged is on its disk (synchronous_commit is ${synchronousCommit})`
  return [{ level: 'ok', subject, says }]
}

function defaults({ readOnly, user }: Server): Finding[] {
  if (readOnly !== 'on') return []
  const remedy = `Run ALTER ROLE "${user}" SET default_transaction_read_only = off, then start the processes anew`
  return [{ level: 'error', subject: 'postgres defaults', says: 'transactions are read-only by default', remedy }]
}

/** The server read its clock at some moment between the two. */
function clock({ time }: Server, before: number, after: number): Finding {
  const subject = 'postgres clock'
  const apart = Math.max(0, before - time, time - after)
  if (apart <= CLOCKS) return { level: 'ok', subject, says: `${Math.round(apart)} ms from ours` }
  return {
    level: 'warning',
    subject,
    says: `${(apart / 1_000).toFixed(1)} s from ours: delayed messages come early or late by that`,
    remedy: 'Let both machines set their clocks by the network (NTP)',
  }
}
