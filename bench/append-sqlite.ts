import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { bodyOf, completeBody, createRegistry, type NewEvent, type OpenStore, systemRuntime } from 'obverse'
import { sqlite } from 'obverse/sqlite'
import { newEvent } from './new-event.ts'
import { pump, type Question, rate, type Sides } from './question.ts'

export const appendSqlite1: Question = {
  name: 'append-sqlite-1',
  asks: 'append of one event and its outbox row to SQLite, FULL, 1 in flight, beside one prepared transaction each',
  unit: 'appends/s',
  reach: 0.85,
  prepare: (folder) => sides(folder, 1),
}

export const appendSqlite64: Question = {
  name: 'append-sqlite-64',
  asks: 'the same with 64 in flight, beside one prepared transaction each',
  unit: 'appends/s',
  reach: 3,
  prepare: (folder) => sides(folder, 64),
}

/** Both write the same tables with the same indexes, each to a file of its own, and call the event-store layer. */
async function sides(folder: string, inFlight: number): Promise<Sides> {
  const ours = await opened(join(folder, 'ours.db'))
  const twinFile = join(folder, 'twin.db')
  await (await opened(twinFile)).close()
  const twin = byHand(twinFile)
  const entry = { name: 'bench' }
  const append = () => {
    const event = newEvent()
    return ours.transactions.commit(entry, { events: [event], messages: [], expected: new Map([[event.key, 0]]) })
  }
  return {
    ours: () => rate(1_200, 512, (count) => pump(count, inFlight, append)),
    twin: () =>
      rate(1_200, 512, async (count) => {
        for (let n = 0; n < count; n += 1) twin.append(newEvent(), 0)
      }),
    async close() {
      await ours.close()
      twin.close()
    },
  }
}

async function opened(file: string): Promise<OpenStore> {
  const store = await sqlite(file).open({ runtime: systemRuntime, registry: createRegistry([]), relayed: false })
  await store.schema.migrate([])
  return store
}

function byHand(file: string) {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000')
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  const rollback = database.prepare('ROLLBACK')
  const version = database.prepare('SELECT seq FROM obverse_key WHERE key = ?')
  const bump = database.prepare(
    'INSERT INTO obverse_key (key, seq) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET seq = excluded.seq',
  )
  const event = database.prepare(
    `INSERT INTO obverse_event (id, type, schema_version, key, seq, time, correlation_id, causation_id, data, metadata)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const queue = database.prepare(
    'INSERT INTO obverse_queue (channel, message_id, key, command, at, body) VALUES (?, ?, ?, 0, ?, ?)',
  )
  return {
    append(e: NewEvent, expected: number) {
      begin.run()
      try {
        const found = version.get(e.key) as { seq: number } | undefined
        if ((found?.seq ?? 0) !== expected) throw new Error('conflict')
        const seq = expected + 1
        bump.run(e.key, seq)
        const { lastInsertRowid } = event.run(
          e.id,
          e.type,
          e.schemaVersion,
          e.key,
          seq,
          e.time,
          e.correlationId,
          e.causationId,
          e.data,
          e.metadata,
        )
        const body = completeBody(bodyOf(e), seq, Number(lastInsertRowid))
        for (const channel of e.channels) queue.run(channel, e.id, e.key, Date.now(), body)
        commit.run()
      } catch (error) {
        rollback.run()
        throw error
      }
    },
    close: () => database.close(),
  }
}
