// Schemas of one database as the databases of single tests.

import { type Runtime, systemRuntime, type ViewStore } from 'obverse'
import { postgresViews } from 'obverse/postgres'
import pg from 'pg'

let made = 0

/** The address of a schema that is new and empty. */
export async function newSchema(url: string): Promise<string> {
  made += 1
  const name = `s${process.pid}_${made}`
  await query(url, `CREATE SCHEMA ${name}`)
  const address = new URL(url)
  address.searchParams.set('options', `-c search_path=${name}`)
  return address.href
}

/** On a connection of its own. */
export async function query<Row extends object>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end()
  }
}

export function openViews(url: string, runtime: Runtime = systemRuntime): Promise<ViewStore> {
  return postgresViews(url)({ runtime })
}
