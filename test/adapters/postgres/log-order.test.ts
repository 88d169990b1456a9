// No reader of the log misses an event or meets two of one key in the wrong order, whoever commits when. The same run shows
// three other ways to read what was written, each of which must fail: otherwise the run would have shown nothing.

import { createRegistry, type OpenStore, systemRuntime } from 'obverse'
import { join, postgres } from 'obverse/postgres'
import { seededRandom } from 'obverse/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { note } from '../../servers/place.ts'
import { fresh } from '../../servers.ts'
import { newSchema, query } from './database.ts'
import { byNumber, byNumberBelowCeiling, byPosition, byTransaction, judge, type Reader } from './log-order/reader.ts'
import { write } from './log-order/writer.ts'
import { unitOf } from './unit.ts'

const server = await fresh('postgres')
const SECONDS = Number(process.env.OBVERSE_TEST_LOG_SECONDS ?? 8)
const SEED = Number(process.env.OBVERSE_TEST_SEED ?? Date.now() % 1_000_000)
const WRITERS = 64

async function open(url: string): Promise<OpenStore> {
  const registry = createRegistry([])
  const store = await postgres(url, { connections: 6 }).open({ runtime: systemRuntime, registry, relayed: true })
  await store.schema.migrate([])
  return store
}

/** Every way to read; the first is ours. */
async function readersOf(store: OpenStore, url: string): Promise<readonly [Reader, Reader, Reader, Reader]> {
  return [byPosition(store), await byNumber(url), await byTransaction(url), await byNumberBelowCeiling(url)]
}

describe.skipIf(server.missing)('the order of the log', () => {
  describe('with many writers', () => {
    let url: string
    let store: OpenStore
    /** Another process that stamps, as far as the database can tell. */
    let other: OpenStore

    beforeAll(async () => {
      url = await newSchema(server.url)
      store = await open(url)
      other = await open(url)
      await query(url, 'CREATE TABLE elsewhere (key text)')
    })
    afterAll(async () => {
      await Promise.all([store, other].map((each) => each?.close()))
    })

    test(
      `${WRITERS} of them, late, rolled back, on 20 hot keys: nothing is lost, nothing inverted, and the canaries fail`,
      async () => {
        const random = seededRandom(SEED)
        const readers = await readersOf(store, url)
        const deadline = performance.now() + SECONDS * 1_000
        let writing = true
        const follow = async (step: () => Promise<number>) => {
          while (writing) if ((await step()) === 0) await new Promise((resolve) => setTimeout(resolve, 2))
          while ((await step()) > 0);
        }
        const stamping = [store, other].map((each) => follow(async () => (await each.positions?.stamp(50)) ?? 0))
        const reading = readers.map((reader) => follow(() => reader.read()))
        const { committed, transactions, rollbacks } = await write({
          url,
          store,
          writers: WRITERS,
          keys: Array.from({ length: 20 }, (_, at) => `hot-${at}`),
          hold: 500,
          rolledBack: 0.05,
          random,
          until: () => performance.now() > deadline,
        })
        writing = false
        await Promise.all(stamping)
        await Promise.all(reading)
        const [ours, ...canaries] = readers
        while ((await ours.read()) > 0);
        await Promise.all(readers.map((reader) => reader.close()))

        const verdicts = new Map(readers.map((reader) => [reader, judge(committed, reader)]))
        const told = readers.map((reader) => {
          const { lost, inverted } = verdicts.get(reader) as ReturnType<typeof judge>
          return `${reader.name}: ${lost} lost, ${inverted} inverted`
        })
        note(
          `log order, seed ${SEED}: ${committed.size} events of ${transactions} transactions, ${rollbacks} rolled back; ${told.join('; ')}`,
        )
        expect(committed.size).toBeGreaterThan(WRITERS)
        expect(verdicts.get(ours)).toEqual({ read: committed.size, lost: 0, twice: 0, ghosts: 0, inverted: 0 })
        expect(ours.seen.map(({ position }) => position)).toEqual(ours.seen.map((_, at) => at + 1))
        for (const key of new Set(ours.seen.map((one) => one.key))) {
          const seqs = ours.seen.filter((one) => one.key === key).map(({ seq }) => seq)
          expect(seqs).toEqual(seqs.map((_, at) => at + 1))
        }
        const [naive, xid, ceiling] = canaries.map((reader) => verdicts.get(reader))
        expect(naive?.lost, 'the naive reader must lose').toBeGreaterThan(committed.size * 0.05)
        expect(xid?.inverted, 'the (xid, number) reader must invert').toBeGreaterThan(0)
        expect(ceiling?.lost, 'the reader with a ceiling must lose').toBeGreaterThan(0)
      },
      (SECONDS + 30) * 1_000,
    )
  })

  describe('with two writers', () => {
    let url: string
    let store: OpenStore
    let clients: readonly [pg.Client, pg.Client]
    let readers: Awaited<ReturnType<typeof readersOf>>

    beforeAll(async () => {
      url = await newSchema(server.url)
      store = await open(url)
      await query(url, 'CREATE TABLE elsewhere (key text)')
      clients = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })]
      await Promise.all(clients.map((client) => client.connect()))
      readers = await readersOf(store, url)
    })
    afterAll(async () => {
      await Promise.all([
        ...(clients ?? []).map((client) => client.end()),
        ...(readers ?? []).map((one) => one.close()),
      ])
      await store?.close()
    })

    const append = (client: pg.Client, key: string) => store.transactions.join?.(join(client), unitOf(key))
    const look = async () => {
      await store.positions?.stamp(100)
      for (const reader of readers) await reader.read()
    }
    const keysOf = (from: number) => readers.map(({ seen }) => seen.slice(from).map(({ key, seq }) => `${key} ${seq}`))

    test('one that began first and appends last follows what it has followed', async () => {
      const [early, late] = clients
      await early.query('BEGIN')
      await early.query(`INSERT INTO elsewhere VALUES ('early')`)
      await late.query('BEGIN')
      await append(late, 'one')
      await late.query('COMMIT')
      await append(early, 'one')
      await early.query('COMMIT')
      await look()
      const [ours, naive, byXid, belowCeiling] = keysOf(0)
      expect([ours, naive, belowCeiling]).toEqual(Array(3).fill(['one 1', 'one 2']))
      expect(byXid).toEqual(['one 2', 'one 1'])
    })

    test('one that has drawn its number and commits late is met after those who were quicker', async () => {
      const [early, late] = clients
      const from = readers.map(({ seen }) => seen.length)
      expect(new Set(from)).toEqual(new Set([2]))
      await early.query('BEGIN')
      await early.query(`INSERT INTO elsewhere VALUES ('early')`)
      await late.query('BEGIN')
      await append(late, 'slow')
      await append(early, 'quick')
      await early.query('COMMIT')
      await look()
      await late.query('COMMIT')
      await look()
      const [ours, naive, byXid, belowCeiling] = keysOf(2)
      expect([ours, byXid]).toEqual(Array(2).fill(['quick 1', 'slow 1']))
      expect([naive, belowCeiling]).toEqual(Array(2).fill(['quick 1']))
    })

    test('ten thousand numbers that were drawn and rolled back hold nobody up', async () => {
      await query(url, `SELECT nextval('obverse_event_number') FROM generate_series(1, 10000)`)
      const head = await store.log.head()
      await store.transactions.commit({ name: 'test' }, unitOf('after'))
      expect(await store.positions?.stamp(100)).toBe(1)
      const { events } = await store.log.after(head, 10)
      expect(events).toMatchObject([{ key: 'after', position: head + 1 }])
    })
  })
})
