import { statement } from './statement.ts'
import type { ViewEnvironment } from './view-environment.ts'

/**
 * Who keeps vacuum from removing rows that died since. Of sessions in other databases only those that write: their transaction is
 * part of every snapshot taken here, while a snapshot of theirs concerns nobody here. A logical slot keeps rows of
 * catalogs only. What is hidden for want of rights says so in place of its statement.
 */
const HOLDERS = statement(
  'vacuum-holders',
  `SELECT 'session' AS kind, a.pid::text AS name, a.pid, a.usename::text AS "user", a.application_name AS application,
     a.datname::text AS database, a.datname = current_database() AS here, a.state, left(a.query, 200) AS statement,
     1000 * extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS ms,
     coalesce(a.backend_xid, a.backend_xmin)::text AS xmin, age(coalesce(a.backend_xid, a.backend_xmin)) AS behind
   FROM pg_stat_activity a
   WHERE a.pid <> pg_backend_pid() AND a.backend_type <> 'walsender'
     AND (a.backend_xid IS NOT NULL OR (a.backend_xmin IS NOT NULL AND a.datname = current_database()))
     AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum v WHERE v.pid = a.pid)
   UNION ALL
   SELECT 'prepared', p.gid, NULL, p.owner::text, NULL, p.database::text, p.database = current_database(), NULL, NULL,
     1000 * extract(epoch FROM clock_timestamp() - p.prepared)::float8, p.transaction::text, age(p.transaction)
   FROM pg_prepared_xacts p
   UNION ALL
   SELECT 'slot', s.slot_name::text, s.active_pid, NULL, NULL, s.database::text, true,
     CASE WHEN s.active THEN 'active' ELSE 'idle' END, NULL, NULL, s.xmin::text, age(s.xmin)
   FROM pg_replication_slots s WHERE s.xmin IS NOT NULL
   UNION ALL
   SELECT 'standby', coalesce(nullif(a.application_name, ''), a.pid::text), a.pid, a.usename::text, a.application_name, NULL,
     true, a.state, NULL, NULL, a.backend_xmin::text, age(a.backend_xmin)
   FROM pg_stat_activity a
   WHERE a.backend_type = 'walsender' AND a.backend_xmin IS NOT NULL
     AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = a.pid)`,
)
const DEAD = statement(
  'vacuum-dead',
  `SELECT relname::text AS name, n_dead_tup AS dead FROM pg_stat_user_tables
   WHERE schemaname = current_schema() AND relname IN ('obverse_queue', 'obverse_unstamped', 'obverse_claim')
   ORDER BY relname`,
)

export interface VacuumHolder {
  readonly kind: 'session' | 'prepared' | 'slot' | 'standby'
  /** Process id, name of the prepared transaction, of the slot or of the standby. */
  readonly name: string
  readonly pid: number | null
  readonly user: string | null
  readonly application: string | null
  readonly database: string | null
  /** False: in another database. */
  readonly here: boolean
  readonly state: string | null
  readonly statement: string | null
  /** Milliseconds since it began; `undefined`: nobody knows. */
  readonly ms: number | undefined
  /** Transactions that have begun since. */
  readonly behind: number
}

type Row = Omit<VacuumHolder, 'ms'> & { readonly ms: number | null; readonly xmin: string }

export interface DeadRows {
  readonly name: string
  readonly dead: number
}

/** Transactions since then after which a standby is behind that nobody has watched for long enough to know its age. */
const FAR_BEHIND = 100_000

/** Looks who keeps dead rows from vacuum, and remembers of those that do not say it since when. */
export class VacuumHolders {
  readonly #environment: Pick<ViewEnvironment, 'reader' | 'runtime'>
  /** Of slots and standbys: what they held when they were seen first, and when that was. */
  #seen = new Map<string, { readonly xmin: string; readonly since: number }>()

  constructor(environment: Pick<ViewEnvironment, 'reader' | 'runtime'>) {
    this.#environment = environment
  }

  /** Those that have done so for `age` milliseconds, the oldest first. A slot that nobody reads counts at once. */
  async olderThan(age: number): Promise<readonly VacuumHolder[]> {
    const { reader, runtime } = this.#environment
    const rows = await reader.all<Row>(HOLDERS)
    const now = runtime.elapsed()
    const seen = new Map<string, { readonly xmin: string; readonly since: number }>()
    const holders = rows.map(({ xmin, ms, ...row }): VacuumHolder => {
      if (ms !== null) return { ...row, ms }
      const name = `${row.kind} ${row.name}`
      const before = this.#seen.get(name)
      const since = before?.xmin === xmin ? before.since : now
      seen.set(name, { xmin, since })
      return { ...row, ms: since === now ? undefined : now - since }
    })
    this.#seen = seen
    return holders
      .filter(({ kind, ms = 0, state, behind }) => {
        if (ms >= age) return true
        return kind !== 'session' && kind !== 'prepared' && (state === 'idle' || behind >= FAR_BEHIND)
      })
      .sort((a, b) => b.behind - a.behind)
  }

  /** Rows of the tables that are emptied all the time. The server counts them late, by up to a second. */
  dead(): Promise<readonly DeadRows[]> {
    return this.#environment.reader.all<DeadRows>(DEAD)
  }
}
