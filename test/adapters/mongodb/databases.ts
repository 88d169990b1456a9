import { type CommandStartedEvent, type Db, MongoClient } from 'mongodb'
import { afterAll } from 'vitest'
import type { Server } from '../../servers.ts'

/** New databases of one file on a server, dropped at its end, and the commands that were sent to them. */
export interface Databases {
  next(): Db
  /** The URL that leads to `db`. */
  url(db: Db): string
  readonly sent: readonly CommandStartedEvent[]
}

let count = 0

/** For a server that is not missing; otherwise nothing is connected. */
export function databasesOn(server: Server): Databases {
  const sent: CommandStartedEvent[] = []
  const made: Db[] = []
  const client = server.missing === undefined ? new MongoClient(server.url, { monitorCommands: true }) : undefined
  let ending = false
  client?.on('commandStarted', (event) => {
    if (!ending) sent.push(event)
  })
  afterAll(async () => {
    ending = true
    await Promise.all(made.map((db) => db.dropDatabase()))
    await client?.close()
  })
  return {
    sent,
    next() {
      if (!client) throw new Error('There is no server')
      count += 1
      const db = client.db(`obverse_test_${process.pid}_${Date.now().toString(36)}_${count}`)
      made.push(db)
      return db
    },
    url(db) {
      const url = new URL(server.url)
      url.pathname = `/${db.databaseName}`
      return url.href
    },
  }
}
