// An application with tables of its own, for the command line. Its second step waits where it is told to.
import { setTimeout as sleep } from 'node:timers/promises'
import { type App, createApp } from 'obverse'
import { postgres } from 'obverse/postgres'

export default function app(env: Record<string, string | undefined>): App {
  return createApp({
    handlers: [],
    store: postgres(env.MIGRATING_URL ?? '', { connections: 5, answerTimeout: 2_000 }),
    migrate: 'check',
    migrations: [
      {
        name: '001-orders',
        up: async (db) => {
          await db.execute('CREATE TABLE orders (id text PRIMARY KEY)', [])
        },
      },
      {
        name: '002-first-order',
        up: async (db) => {
          await db.execute(`INSERT INTO orders VALUES ('first')`, [])
          await db.execute('SELECT pg_sleep($1)', [Number(env.SLEEP_SERVER ?? 0)])
          await sleep(Number(env.SLEEP_HERE ?? 0))
        },
      },
    ],
  })
}
