import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Instance } from '../scripts/servers/instance.ts'
import { NAMES, type ServerName } from '../scripts/servers/name.ts'
import { ServerSet, setFolder } from '../scripts/servers/set.ts'

const started = new Map<ServerName, Instance>()
const used = new Set<string>()
const set = new ServerSet(setFolder('bench'))

/** A server of the bench's own, started once for all questions. @throws {ServerMissing} saying what brings it */
export async function benchServer(name: ServerName): Promise<Instance['record']> {
  const instance = started.get(name) ?? (await set.up(name))
  started.set(name, instance)
  used.add(`${NAMES[name].title} ${instance.record.version}`)
  return instance.record
}

/** What was asked for since the last call, with versions: `PostgreSQL 15.9`. */
export function usedServers(): string[] {
  const names = [...used]
  used.clear()
  return names
}

/** A new database, without the durability of a toy: fsync and synchronous commits are as PostgreSQL ships them. */
export async function newDatabase(): Promise<string> {
  const { url } = await benchServer('postgres')
  const name = `bench_${randomUUID().replaceAll('-', '').slice(0, 12)}`
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  return Object.assign(new URL(url), { pathname: `/${name}` }).href
}

/** Ends what was started; leaves no process. */
export async function endServers(): Promise<void> {
  if (started.size > 0) await set.down()
  started.clear()
}
