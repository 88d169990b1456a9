// Looks begin behind what was settled, and still miss nothing that is committed late.
import { type BrokerDelivery, type OpenStore, readEnvelope, systemRuntime } from 'obverse'
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { Ceiling } from '../../../../src/adapters/postgres/ceiling.ts'
import { Line } from '../../../../src/adapters/postgres/line.ts'
import { settings } from '../../../../src/adapters/postgres/options.ts'
import { sessions } from '../../../../src/adapters/postgres/pool.ts'
import { until } from '../../../processes.ts'
import { fresh } from '../../../servers.ts'
import { newSchema, query } from '../database.ts'
import { ENTRY, fact, openStore, order, unit } from './store.ts'

const server = await fresh('postgres')
const INSERT = `INSERT INTO obverse_queue (channel, message_id, key, body, at) VALUES ('work', '', $1, $2, 0) RETURNING id`

describe.skipIf(server.missing)('low water', () => {
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })
  async function world(relayed: boolean): Promise<{ store: OpenStore; url: string; client: pg.Client }> {
    const url = await newSchema(server.url)
    const store = await openStore(url, { relayed })
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    ends.push(
      () => store.close(),
      () => client.end(),
    )
    return { store, url, client }
  }

  test('a ceiling rises to what was drawn once everybody who was adding has ended, and not before', async () => {
    const { url, client } = await world(false)
    const pool = sessions(url, settings({}))
    const line = new Line(pool)
    ends.push(async () => {
      await line.close()
      await pool.close()
    })
    const ceiling = new Ceiling('obverse_queue', 'obverse_queue_number')
    await client.query('BEGIN')
    const late = Number((await client.query(INSERT, ['k', 'late'])).rows[0]?.id)
    await query(url, INSERT, ['k', 'early'])
    for (let looks = 0; looks < 5; looks += 1) await ceiling.look(line)
    expect(ceiling.value, 'while the late one may yet come').toBeLessThan(late)
    await client.query('COMMIT')
    await ceiling.look(line)
    expect(ceiling.value).toBe(late + 1)
    expect(await ceiling.look(line)).toBe(true)
    await query(url, 'ALTER SEQUENCE obverse_queue_number RESTART')
    await query(
      url,
      INSERT.replace('(channel', '(id, channel').replace('VALUES (', 'OVERRIDING SYSTEM VALUE VALUES (9, '),
      ['k', 'x'],
    )
    expect(await ceiling.look(line), 'numbers begin anew').toBe(false)
    expect(ceiling.value).toBe(0)
  })

  test('the first row of all is taken, however long a consumer was there before it', async () => {
    const { store, url } = await world(false)
    const pool = sessions(url, settings({}))
    const line = new Line(pool)
    ends.push(async () => {
      await line.close()
      await pool.close()
    })
    const ceiling = new Ceiling('obverse_queue', 'obverse_queue_number')
    const taken: string[] = []
    await store.broker.subscribe('work', {
      prefetch: 10,
      onDeliveries: (deliveries) => taken.push(...deliveries.map(({ body }) => body)),
    })
    for (let looks = 0; looks < 5; looks += 1) await ceiling.look(line)
    expect(ceiling.value).toBe(0)
    await new Promise((resolve) => setTimeout(resolve, 1_200)) // so that the consumer has looked as often
    await query(url, INSERT, ['k', 'first'])
    await until('the first row', () => taken.includes('first'), 3_000)
  })

  test.each([[false], [true]])('a row that is committed late is taken all the same (relayed: %s)', async (relayed) => {
    const { store, client } = await world(relayed)
    const taken: string[] = []
    const take = async (): Promise<void> => {
      const rows = relayed ? await store.outbox.claim('r', 10) : []
      taken.push(...rows.map(({ body }) => body))
      await store.outbox.done(
        'r',
        rows.map(({ id }) => id),
      )
    }
    const settle = (deliveries: readonly BrokerDelivery[]) => {
      for (const { body, ack } of deliveries) {
        taken.push(body)
        void ack()
      }
    }
    if (!relayed) await store.broker.subscribe('work', { prefetch: 10, onDeliveries: settle })
    const through = async (text: string) => {
      await store.broker.put('work', text)
      await until(text, async () => {
        await take()
        return taken.includes(text)
      })
    }
    await through('before')
    await client.query('BEGIN')
    await client.query(INSERT, [null, 'late'])
    // looks at the ceiling go on meanwhile, four in a second
    const end = systemRuntime.elapsed() + 1_200
    for (let n = 0; systemRuntime.elapsed() < end; n += 1) await through(`meanwhile ${n}`)
    await client.query('COMMIT')
    await through('after')
    await until('the late one', async () => {
      await take()
      return taken.includes('late')
    })
    expect(new Set(taken).size).toBe(taken.length)
  })

  test('may be asked by a user who may do what is needed and nothing else', async () => {
    const { url, client } = await world(true)
    const schema = new URL(url).searchParams.get('options')?.split('=')[1] ?? ''
    const user = `guest_${schema}`
    await client.query(`CREATE ROLE ${user}; GRANT USAGE ON SCHEMA ${schema} TO ${user};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${user};
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${user}`)
    ends.unshift(async () => {
      await query(url, `DROP OWNED BY ${user}; DROP ROLE ${user}`)
    })
    const address = new URL(url)
    address.searchParams.set('options', `-c search_path=${schema} -c role=${user}`)
    const store = await openStore(address.href, { relayed: true })
    ends.push(() => store.close())
    await store.transactions.commit(ENTRY, unit([fact('k', 1, { channels: ['work'] })], [order('k')]))
    expect(await store.positions?.stamp(10)).toBe(1)
    const [row] = await store.outbox.claim('r', 10)
    await store.outbox.done('r', [row?.id ?? 0])
    expect((await store.outbox.waiting()).count).toBe(1)
  })

  test('beside an old snapshot each key goes on in order, and nothing is read twice', async () => {
    const { store, client } = await world(true)
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await client.query('SELECT count(*) FROM obverse_queue')
    const seen = new Map<string, number[]>()
    for (let round = 0; round < 4; round += 1) {
      const facts = Array.from({ length: 200 }, (_, n) => fact(`k${n % 20}`, n, { channels: ['work'] }))
      await store.transactions.commit(ENTRY, unit(facts, [order('k0', round)]))
      while (((await store.positions?.stamp(1_000)) ?? 0) > 0);
      for (let rows = await store.outbox.claim('r', 50); rows.length > 0; rows = await store.outbox.claim('r', 50)) {
        for (const { key, body } of rows) {
          const { seq } = readEnvelope(body)
          if (seq !== undefined) seen.set(key ?? '', [...(seen.get(key ?? '') ?? []), seq])
        }
        await store.outbox.done(
          'r',
          rows.map(({ id }) => id),
        )
      }
    }
    expect(seen.size).toBe(20)
    for (const seqs of seen.values()) expect(seqs).toEqual(Array.from({ length: 40 }, (_, n) => n + 1))
    expect((await store.outbox.waiting()).count).toBe(0)
  })
})
