// A space of a test's own on a server: a database, a virtual host.
import { randomBytes } from 'node:crypto'
import type { Kind } from '../../scripts/servers/name.ts'
import { management } from './http.ts'

export interface Home {
  readonly kind: Kind
  readonly url: string
  readonly management?: string | undefined
}

/** A name that says whose it is, should it ever be left behind. */
export function spaceName(): string {
  return `obverse_test_${Date.now().toString(36)}_${randomBytes(4).toString('hex')}`
}

/** Makes the space and gives the URL that leads into it. */
export async function makeSpace(home: Home, name: string): Promise<string> {
  if (home.kind === 'postgres') await sql(home.url, `CREATE DATABASE "${name}"`)
  if (home.kind === 'rabbitmq') {
    const user = decodeURIComponent(new URL(api(home)).username)
    await call(home, 'PUT', `/vhosts/${name}`)
    await call(home, 'PUT', `/permissions/${name}/${user}`, { configure: '.*', write: '.*', read: '.*' })
  }
  const url = new URL(home.url) // MongoDB makes databases as they are written to
  url.pathname = `/${name}`
  return url.href
}

/** Removes it, whoever is connected to it. */
export async function dropSpace(home: Home, name: string): Promise<void> {
  if (home.kind === 'postgres') await sql(home.url, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
  if (home.kind === 'rabbitmq') await call(home, 'DELETE', `/vhosts/${name}`)
  if (home.kind === 'mongodb') {
    const { MongoClient } = await import('mongodb')
    const client = new MongoClient(home.url, { serverSelectionTimeoutMS: 3_000 })
    await client
      .db(name)
      .dropDatabase()
      .finally(() => client.close())
  }
}

async function sql(url: string, statement: string): Promise<void> {
  const { Client } = (await import('pg')).default
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(statement)
  } finally {
    await client.end()
  }
}

async function call(home: Home, method: string, path: string, body?: unknown): Promise<void> {
  const { status } = await management(api(home), method, path, body)
  if (status >= 300 && !(method === 'DELETE' && status === 404)) throw new Error(`${method} ${path}: ${status}`)
}

function api(home: Home): string {
  if (home.management) return home.management
  throw new Error('a virtual host needs the HTTP API: OBVERSE_TEST_RABBITMQ_MANAGEMENT_URL can name it')
}
