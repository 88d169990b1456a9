// The queue under several processes, one of which is killed.
import { type OpenStore, systemRuntime } from 'obverse'
import { afterEach, describe, expect, test } from 'vitest'
import { killAll, start, until } from '../../../processes.ts'
import { fresh } from '../../../servers.ts'
import { newSchema, query } from '../database.ts'
import { openStore } from './store.ts'

const server = await fresh('postgres')
const PROCESS = 'test/adapters/postgres/queue/consuming-process.ts'
const TABLE = `CREATE TABLE seen (id bigserial PRIMARY KEY, key text, n int, pid int, began timestamptz, ended timestamptz)`
/** Rows of one key at which two processes were at once. One that was killed ended at nobody knows what time. */
const OVERLAPS = `SELECT a.key FROM seen a JOIN seen b ON a.key = b.key AND a.pid <> b.pid
  WHERE a.began <= b.began AND a.ended > b.began`
const FIRSTS = `SELECT key, array_agg(n ORDER BY id) AS numbers
  FROM (SELECT DISTINCT ON (key, n) key, n, id FROM seen WHERE ended IS NOT NULL ORDER BY key, n, id) AS firsts GROUP BY key`

describe.skipIf(server.missing)('two processes on one queue', () => {
  let store: OpenStore | undefined
  afterEach(async () => {
    await killAll()
    await store?.close()
  })

  test('a key is never with both, in order, and a killed one loses nothing', async () => {
    const url = await newSchema(server.url)
    store = await openStore(url)
    await query(url, TABLE)
    const [KEYS, EACH] = [12, 40]
    const message = (key: string, n: number) => {
      const id = systemRuntime.id()
      const envelope = { id, type: 't', kind: 'event', schemaVersion: 1, time: 't', key, data: { key, n } }
      return { messageId: id, channel: 'work', key, body: JSON.stringify(envelope) }
    }
    const processes = [start(PROCESS, [url]), start(PROCESS, [url])] as const
    await Promise.all(processes.map((one) => one.printed(/consuming/)))
    for (let n = 0; n < EACH; n += 4) {
      const round = [0, 1, 2, 3].flatMap((more) => Array.from({ length: KEYS }, (_, k) => message(`k${k}`, n + more)))
      await store.broker.publish(round)
    }
    const counted = async (ended: string) =>
      Number((await query<{ n: string }>(url, `SELECT count(DISTINCT (key, n)) AS n FROM seen WHERE ${ended}`))[0]?.n)
    await until('a third to be handled', async () => (await counted('true')) > (KEYS * EACH) / 3)
    await processes[0].kill()
    await until('all', async () => (await counted('ended IS NOT NULL')) === KEYS * EACH, 20_000)
    expect(await query(url, OVERLAPS)).toEqual([])
    const order = Array.from({ length: EACH }, (_, n) => n)
    for (const { key, numbers } of await query<{ key: string; numbers: number[] }>(url, FIRSTS)) {
      expect(numbers, key).toEqual(order)
    }
    const pids = await query(url, 'SELECT DISTINCT pid FROM seen')
    expect(pids, 'both took part').toHaveLength(2)
  }, 40_000)
})
