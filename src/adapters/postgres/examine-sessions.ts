import type { Finding } from 'obverse'
import type { Environment } from './environment.ts'
import { statement } from './statement.ts'
import { quoted } from './view-name.ts'

/** Connections that a store keeps for itself: to read, to write, to commit, to listen. */
const KEPT = 4

const ROOM = statement(
  'examine-room',
  `SELECT what, "limit", taken FROM (VALUES
     ('max_connections of the server', current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true), '0')::int,
      (SELECT count(*)::int FROM pg_stat_activity WHERE datid IS NOT NULL)),
     ('the limit of the database', (SELECT datconnlimit FROM pg_database WHERE datname = current_database()),
      (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database())),
     ('the limit of the role', (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
      (SELECT count(*)::int FROM pg_stat_activity WHERE usename = current_user))) AS room(what, "limit", taken)
   WHERE "limit" >= 0 ORDER BY "limit" - taken LIMIT 1`,
)
const HIDDEN = statement(
  'examine-hidden',
  `SELECT count(*) AS count, count(DISTINCT usesysid) AS users FROM pg_stat_activity
   WHERE query = '<insufficient privilege>' AND datid IS NOT NULL AND usesysid IS NOT NULL`,
)
/** Those that keep dead rows too are alarms. */
const SLOTS = statement(
  'examine-slots',
  `SELECT slot_name::text AS name, slot_type AS type, wal_status AS status,
     CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 END AS bytes
   FROM pg_replication_slots WHERE NOT active AND NOT temporary AND xmin IS NULL ORDER BY slot_name`,
)
const PID = statement('examine-pid', 'SELECT pg_backend_pid() AS pid')

/** Whether there is room for our sessions, whether they are ours, and what else of others is in the way or cannot be seen. */
export async function examineSessions(environment: Environment, user: string): Promise<readonly Finding[]> {
  return [
    ...(await room(environment)),
    ...(await pooler(environment)),
    ...(await hidden(environment, user)),
    ...(await slots(environment)),
  ]
}

async function room({ reader, sessions: { size } }: Environment): Promise<Finding[]> {
  const subject = 'postgres connections'
  if (size <= KEPT) {
    const says = `the pool has ${size} at most, and the store keeps ${KEPT} for itself: handlers with tables wait without end`
    return [{ level: 'error', subject, says, remedy: 'Give the pool 10 connections' }]
  }
  const row = await reader.get<{ what: string; limit: number; taken: number }>(ROOM)
  if (!row) return []
  const { what, limit, taken } = row
  const says = `${taken} of ${limit} are taken (${what}); a process of this application takes up to ${size}`
  if (limit - taken >= size) return [{ level: 'ok', subject, says }]
  const remedy = `Raise ${what}, or give each process fewer: postgres(url, { connections })`
  return [{ level: 'warning', subject, says, remedy }]
}

/** A pooler invents the number by which a session is known. */
async function pooler({ sessions }: Environment): Promise<Finding[]> {
  const [given, actual] = await sessions.lend(async (connection) => {
    const row = await connection.get<{ pid: number }>(PID)
    return [(connection.client as unknown as { processID?: number | null }).processID, row?.pid]
  })
  if (given === actual || given === undefined || given === null) return []
  return [
    {
      level: 'warning',
      subject: 'postgres pooler',
      says: 'there is a pooler between: statements are prepared, locks held and NOTIFY heard by sessions, so each must stay with its own',
      remedy: 'Let it pool sessions (pool_mode = session), or give the store the address of the server itself',
    },
  ]
}

async function hidden({ reader }: Environment, user: string): Promise<Finding[]> {
  const row = await reader.get<{ count: number; users: number }>(HIDDEN)
  if (!row || row.count === 0) return []
  return [
    {
      level: 'warning',
      subject: 'postgres sessions',
      says: `${row.count} of ${row.users === 1 ? 'another user' : `${row.users} other users`} cannot be looked into: an old snapshot among them would not be named`,
      remedy: `Run GRANT pg_read_all_stats TO ${quoted(user)}`,
    },
  ]
}

async function slots({ reader }: Environment): Promise<Finding[]> {
  const rows = await reader.all<{ name: string; type: string; status: string | null; bytes: number | null }>(SLOTS)
  return rows.map(({ name, type, status, bytes }) => {
    const kept =
      bytes === null ? "the server's log" : `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB of the server's log`
    const lost = status === 'lost' ? ', and what its reader needs is gone already' : ', until the disk is full'
    return {
      level: 'warning',
      subject: `replication slot ${name}`,
      says: `nobody reads from this ${type} slot; it keeps ${kept}${lost}`,
      remedy: `Start its reader, or give it up: SELECT pg_drop_replication_slot('${name}')`,
    }
  })
}
