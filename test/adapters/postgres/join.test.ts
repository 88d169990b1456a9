import { isObverseError } from 'obverse'
import { join } from 'obverse/postgres'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../../processes.ts'
import { note } from '../../servers/place.ts'
import { fresh } from '../../servers.ts'
import { newSchema } from './database.ts'
import { type Door, doors } from './joined/doors.ts'
import { OrderPlaced, openWorld, Place, SendMail, type World } from './joined/world.ts'

const server = await fresh('postgres')
for (const { name, missing } of doors) if (missing) note(`skipped: transactions of ${name}, because ${missing}`)

describe.skipIf(server.missing)('a transaction that the application opened', () => {
  describe.each(doors)('with $name', ({ missing, open }) => {
    if (missing) return test.skip(missing)
    let world: World
    let door: Door

    beforeAll(async () => {
      world = await openWorld(server.url)
      door = await open(world.url)
      await world.app.start()
    })
    afterAll(async () => {
      await door?.close()
      await world?.close()
    })

    test('is joined: after its commit everything is delivered once, and shown', async () => {
      const written = await door.transaction(async (tx, run) => {
        await run(`INSERT INTO sale VALUES ('kept')`)
        return world.app.within(
          tx,
          (ctx) => {
            ctx.publish(OrderPlaced({ orderId: 'kept', text: 'one' }))
            ctx.publish(OrderPlaced({ orderId: 'kept-too', text: 'two' }))
            return ctx.send(SendMail({ orderId: 'kept' }))
          },
          { name: 'checkout', principal: 'ann' },
        )
      })
      written.committed()
      await until('three deliveries', () => world.handled.length >= 3)
      await until('the end of the command', async () => {
        const status = await world.app.operate.status(written.result)
        return status?.state === 'done' && status.type === 'mail.send'
      })
      await world.settled()
      expect(world.handled.filter((one) => one.includes('kept')).toSorted()).toEqual([
        'command kept',
        'kept 1',
        'kept-too 1',
      ])
      expect(written.events).toEqual([
        { type: 'orders.placed', key: 'kept', seq: 1 },
        { type: 'orders.placed', key: 'kept-too', seq: 1 },
      ])
      const trace = await world.app.operate.trace(written.messageId)
      expect(trace).toMatchObject([{ type: 'checkout', caused: [{}, {}, {}] }])
      const [row] = await world.rows<{ data: object }>(`SELECT data FROM obverse_view_orders_1 WHERE id = 'kept'`)
      expect(row?.data).toEqual({ orderId: 'kept', text: 'one', placedTimes: 1 })
      expect(await world.rows(`SELECT FROM sale WHERE id = 'kept'`)).toHaveLength(1)
    })

    test('takes everything with it when it is rolled back', async () => {
      const failing = door.transaction(async (tx, run) => {
        await run(`INSERT INTO sale VALUES ('gone')`)
        const { events } = await world.app.within(tx, (ctx) => {
          ctx.publish(OrderPlaced({ orderId: 'gone', text: 'never' }))
          ctx.send(SendMail({ orderId: 'gone' }))
        })
        expect(events).toEqual([{ type: 'orders.placed', key: 'gone', seq: 1 }])
        throw new Error('changed my mind')
      })
      await expect(failing).rejects.toThrow('changed my mind')
      await world.settled()
      expect(world.handled.filter((one) => one.includes('gone'))).toEqual([])
      for (const table of ['event', 'queue', 'unstamped', 'key', 'status']) {
        const column = table === 'status' ? 'type' : table === 'unstamped' ? 'number::text' : 'key'
        const found = await world.rows(`SELECT FROM obverse_${table} WHERE ${column} LIKE 'gone%'`)
        expect(found, table).toEqual([])
      }
      expect(await world.rows(`SELECT FROM sale WHERE id = 'gone'`)).toEqual([])
      const { token } = (await world.app.send(Place({ orderId: 'gone', text: 'first' }))) as { token: string }
      expect(JSON.parse(Buffer.from(token, 'base64url').toString())).toEqual([['orders.placed', 'gone', 1]])
    })

    test('shares keys with commits of our own: no seq is missing, none is there twice', async () => {
      const keys = ['hot-1', 'hot-2', 'hot-3']
      const text = 'x'
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let turn = 0; turn < 6; turn += 1) {
          const orderId = keys[(writer + turn) % 3] as string
          if (writer % 2 === 0) await world.app.send(Place({ orderId, text }))
          else {
            const both = [orderId, keys[(writer + turn + 1) % 3] as string]
            const rolledBack = turn === 3
            await door
              .transaction(async (tx) => {
                await world.app.within(tx, (ctx) => {
                  for (const key of both) ctx.publish(OrderPlaced({ orderId: key, text }))
                })
                if (rolledBack) throw new Error('not this time')
              })
              .catch((error: Error) => {
                if (!rolledBack) throw error
              })
          }
        }
      })
      await Promise.all(writers)
      const count = 4 * 6 + 4 * 5 * 2
      await until('all deliveries', () => world.handled.filter((one) => one.startsWith('hot')).length >= count)
      await world.settled()
      const stored = await world.rows<{ key: string; seqs: string[] }>(
        `SELECT key, array_agg(seq ORDER BY number) AS seqs FROM obverse_event WHERE key LIKE 'hot-%' GROUP BY key`,
      )
      expect(stored.flatMap(({ seqs }) => seqs)).toHaveLength(count)
      for (const { key, seqs } of stored) {
        const wanted = seqs.map((_, at) => at + 1)
        expect(seqs.map(Number)).toEqual(wanted)
        expect(world.handled.filter((one) => one.startsWith(key))).toEqual(wanted.map((seq) => `${key} ${seq}`))
        const [row] = await world.rows<{ data: object }>('SELECT data FROM obverse_view_orders_1 WHERE id = $1', [key])
        expect(row?.data).toMatchObject({ placedTimes: wanted.length })
      }
    })

    test('fails with CONFLICT on another version than expected, and can go on', async () => {
      const publish = (tx: Parameters<Parameters<Door['transaction']>[0]>[0], version: number, text: string) =>
        world.app.within(tx, (ctx) => ctx.publish(OrderPlaced({ orderId: 'guarded', text })), {
          expected: { guarded: version },
        })
      await door.transaction((tx) => publish(tx, 0, 'first'))
      await door.transaction(async (tx, run) => {
        const refused = await publish(tx, 0, 'again').catch((error: unknown) => error)
        expect(isObverseError(refused, 'CONFLICT')).toBe(true)
        await run(`INSERT INTO sale VALUES ('after a conflict')`)
        await publish(tx, 1, 'second')
        const third = await publish(tx, 2, 'third')
        expect(third.events).toEqual([{ type: 'orders.placed', key: 'guarded', seq: 3 }])
      })
      const seqs = await world.rows<{ seq: string }>(`SELECT seq FROM obverse_event WHERE key = 'guarded' ORDER BY seq`)
      expect(seqs.map(({ seq }) => Number(seq))).toEqual([1, 2, 3])
      expect(await world.rows(`SELECT FROM sale WHERE id = 'after a conflict'`)).toHaveLength(1)
    })

    test('carries every text as it is', async () => {
      const texts = [
        'NULL',
        '',
        `it's "quoted" \\ {a,b}`,
        '? ?? $1 $2::text :name',
        'naïve 🙂 \u2028',
        '\0 half \ud83d',
        '\n\t',
      ]
      const keys = texts.map((text, at) => `text-${at} ${text.toWellFormed().replaceAll('\0', '')}`)
      await door.transaction((tx) =>
        world.app.within(tx, (ctx) => {
          for (const [at, text] of texts.entries()) ctx.publish(OrderPlaced({ orderId: keys[at] as string, text }))
        }),
      )
      await world.settled()
      const stored = await world.app.operate.log.read(0, 1_000)
      for (const [at, text] of texts.entries()) {
        const event = stored.find(({ key }) => key === keys[at])
        expect(event?.data).toEqual({ orderId: keys[at], text })
        const shown = await world.rows('SELECT data FROM obverse_view_orders_1 WHERE id = $1', [keys[at]])
        expect(shown).toEqual([{ data: { orderId: keys[at], text, placedTimes: 1 } }])
      }
    })

    test('throws what its own driver throws', async () => {
      await door.transaction((tx) =>
        world.app.within(tx, (ctx) => ctx.publish(OrderPlaced({ orderId: 'raced', text: 'a' }))),
      )
      const late = door.transaction(async (tx, run) => {
        await run('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ')
        await run('SELECT count(*) FROM sale')
        await world.app.send(Place({ orderId: 'raced', text: 'b' }))
        await world.app.within(tx, (ctx) => ctx.publish(OrderPlaced({ orderId: 'raced', text: 'c' })))
      })
      const error = await late.catch((thrown: unknown) => thrown)
      expect(isObverseError(error)).toBe(false)
      expect(JSON.stringify(error, Object.getOwnPropertyNames(Object(error))) + String(error)).toMatch(
        /40001|could not serialize/,
      )
    })

    test('must be open', async () => {
      const within = async () =>
        world.app.within(join(door.outside), (ctx) => ctx.publish(OrderPlaced({ orderId: 'nowhere', text: '' })))
      await expect(within()).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
      expect(await world.rows(`SELECT FROM obverse_event WHERE key = 'nowhere'`)).toEqual([])
    })
  })

  describe('with pg', () => {
    let world: World
    let client: pg.Client

    beforeEach(async () => {
      world = await openWorld(server.url, { inline: false })
      client = new pg.Client({ connectionString: world.url })
      await client.connect()
    })
    afterEach(async () => {
      await client.end()
      await world.close()
    })
    const publish = (through = client) =>
      world.app.within(join(through), (ctx) => ctx.publish(OrderPlaced({ orderId: 'a', text: '' })))

    test('is refused before BEGIN, with nothing written', async () => {
      await expect(publish()).rejects.toThrow(/without an open transaction/)
      expect(await world.rows('SELECT FROM obverse_event')).toEqual([])
      await client.query('BEGIN')
      await publish()
      await client.query('COMMIT')
      expect(await world.rows('SELECT FROM obverse_event')).toHaveLength(1)
    })

    test('is refused in another schema than that of the store', async () => {
      const other = await openWorld(server.url, { inline: false })
      const elsewhere = new pg.Client({ connectionString: other.url })
      await elsewhere.connect()
      await elsewhere.query('BEGIN')
      await expect(publish(elsewhere)).rejects.toThrow(/another database or schema/)
      await elsewhere.query('COMMIT')
      expect(await other.rows('SELECT FROM obverse_event')).toEqual([])
      const empty = new pg.Client({ connectionString: await newSchema(server.url) })
      await empty.connect()
      await empty.query('BEGIN')
      await expect(publish(empty)).rejects.toThrow(/another database or schema/)
      await Promise.all([elsewhere.end(), empty.end(), other.close()])
    })

    test('prepares nothing under a name, and leaves the transaction as it was', async () => {
      await client.query('BEGIN ISOLATION LEVEL SERIALIZABLE')
      await publish()
      const { rows } = await client.query(
        `SELECT (SELECT count(*) FROM pg_prepared_statements)::int AS prepared, current_setting('transaction_isolation') AS isolation`,
      )
      expect(rows).toEqual([{ prepared: 0, isolation: 'serializable' }])
      await client.query('ROLLBACK')
      expect(await world.rows('SELECT FROM obverse_event')).toEqual([])
    })

    test('goes with its savepoints', async () => {
      await client.query('BEGIN')
      await publish()
      await client.query('SAVEPOINT half')
      expect((await publish()).events).toMatchObject([{ seq: 2 }])
      await client.query('ROLLBACK TO SAVEPOINT half')
      expect((await publish()).events).toMatchObject([{ seq: 2 }])
      await client.query('COMMIT')
      const stored = await world.rows<{ seq: string }>('SELECT seq FROM obverse_event ORDER BY number')
      expect(stored.map(({ seq }) => Number(seq))).toEqual([1, 2])
    })

    test('holds up the keys of its events and no others', async () => {
      const text = ''
      await world.app.send(Place({ orderId: 'held', text }))
      await client.query('BEGIN')
      await world.app.within(join(client), (ctx) => {
        for (const orderId of ['held', 'new']) ctx.publish(OrderPlaced({ orderId, text }))
      })
      const ended: string[] = []
      const send = async (orderId: string) => {
        await world.app.send(Place({ orderId, text }))
        ended.push(orderId)
      }
      const waiting = ['held', 'new', 'held', 'held'].map(send)
      const others = Array.from({ length: 40 }, (_, at) => send(`other-${at % 30}`))
      await Promise.all(others)
      await Promise.all(Array.from({ length: 10 }, (_, at) => send(`later-${at}`)))
      expect(ended).not.toContain('held')
      expect(ended).not.toContain('new')
      await client.query('COMMIT')
      await Promise.all(waiting)
      const seqs = await world.rows<{ key: string; seqs: string[] }>(
        `SELECT key, array_agg(seq ORDER BY number) AS seqs FROM obverse_event WHERE key IN ('held', 'new') GROUP BY key ORDER BY key`,
      )
      expect(seqs).toEqual([
        { key: 'held', seqs: ['1', '2', '3', '4', '5'] },
        { key: 'new', seqs: ['1', '2'] },
      ])
    })

    test('is found without a hint, and at once with one', async () => {
      const slow = await openWorld(server.url, { inline: false, poll: 60_000 })
      const own = new pg.Client({ connectionString: slow.url })
      await own.connect()
      await slow.app.start()
      const written = async () => {
        await own.query('BEGIN')
        const one = await slow.app.within(join(own), (ctx) => ctx.publish(OrderPlaced({ orderId: 'a', text: '' })))
        await own.query('COMMIT')
        return one
      }
      ;(await written()).committed()
      await until('a delivery by the hint', () => slow.handled.length === 1, 5_000)
      await world.app.start()
      await client.query('BEGIN')
      await publish()
      await client.query('COMMIT')
      await until('a delivery by polling', () => world.handled.length === 1, 5_000)
      await own.end()
      await slow.close()
    })

    test('a query waits for its token', async () => {
      await world.app.start()
      await client.query('BEGIN')
      const { token, committed } = await publish()
      await client.query('COMMIT')
      committed()
      expect(await world.shown('a', token)).toMatchObject({ orderId: 'a', placedTimes: 1 })
    })

    test('needs an application that is open', async () => {
      await world.app.stop()
      await client.query('BEGIN')
      await expect(publish()).rejects.toThrow(/app\.start\(\) or app\.open\(\) before/)
    })

    test('says what it was given in place of a transaction', () => {
      for (const wrong of [undefined, {}, { query: 1 }, () => {}, new pg.Pool()])
        expect(() => join(wrong as never)).toThrow(/given no open transaction/)
    })
  })
})
