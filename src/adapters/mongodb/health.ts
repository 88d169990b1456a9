import type { Health } from 'obverse'
import type { Connection } from './connection.ts'
import { readServer, readVersion, type Server } from './server.ts'

/** Asks the server how it is, now. */
export async function health(connection: Connection): Promise<Health> {
  const { db, place } = connection
  try {
    const [server, version] = await connection.run(() => Promise.all([readServer(db), readVersion(db)]))
    const detail = `MongoDB ${version} at ${place}, ${kindOf(server)}`
    return server.writable ? { ok: true, detail } : { ok: false, detail: `${detail}, which takes no writes now` }
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) }
  }
}

/** `a replica set (rs0)` */
export function kindOf({ kind, set }: Server): string {
  return set === undefined ? `a ${kind}` : `a ${kind} (${set})`
}
