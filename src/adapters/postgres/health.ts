import type { Health } from 'obverse'
import type { Environment } from './environment.ts'
import { statement } from './statement.ts'

/** Milliseconds in which a server must answer to count as well. */
const PATIENCE = 2_000

const LOOK = statement(
  'health',
  `SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS standby, pg_database_size(current_database()) AS bytes`,
)

export async function health(
  { sessions, reader, runtime }: Pick<Environment, 'sessions' | 'reader' | 'runtime'>,
  alarms?: { brief(): Promise<string | undefined> },
): Promise<Health> {
  let cancel = () => {}
  const late = new Promise<Health>((resolve) => {
    cancel = runtime.after(PATIENCE, () => {
      resolve({ ok: false, detail: `${sessions.server} did not answer in ${PATIENCE} ms` })
    })
  })
  const look = async (): Promise<Health> => {
    try {
      const [row, alarm] = await Promise.all([
        reader.get<{ version: string; standby: boolean; bytes: number }>(LOOK),
        alarms?.brief(),
      ])
      if (row?.standby) return { ok: false, detail: `${sessions.server} is a standby and takes no writes` }
      const warning = alarm === undefined ? '' : `; warning: ${alarm}`
      return { ok: true, detail: `${sessions.server}, version ${row?.version}, ${size(row?.bytes ?? 0)}${warning}` }
    } catch (error) {
      return { ok: false, detail: error instanceof Error ? error.message : String(error) }
    }
  }
  try {
    return await Promise.race([look(), late])
  } finally {
    cancel()
  }
}

function size(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}
