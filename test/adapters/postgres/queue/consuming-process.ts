// A process that handles the messages of the channel `work`, each a text `key n`, one at a time within a key, and writes down
// when it began and ended: by the clock of the database. Argument: the address.
import { type BrokerDelivery, sleep, systemRuntime } from 'obverse'
import pg from 'pg'
import { openStore } from './store.ts'

const [url = ''] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: url, max: 4 })
const store = await openStore(url)
const lanes = new Map<string, Promise<void>>()

async function handle(delivery: BrokerDelivery): Promise<void> {
  const { key, n } = JSON.parse(delivery.body).data as { key: string; n: number }
  const begun = 'INSERT INTO seen (key, n, pid, began) VALUES ($1, $2, $3, clock_timestamp()) RETURNING id'
  const { rows } = await pool.query(begun, [key, n, process.pid])
  await sleep(systemRuntime, n % 3)
  await pool.query('UPDATE seen SET ended = clock_timestamp() WHERE id = $1', [rows[0]?.id])
  await delivery.ack()
}

await store.broker.subscribe('work', {
  prefetch: 16,
  onDeliveries(deliveries) {
    for (const delivery of deliveries) {
      const { key } = JSON.parse(delivery.body) as { key: string }
      lanes.set(
        key,
        (lanes.get(key) ?? Promise.resolve()).then(() => handle(delivery)),
      )
    }
  },
})
console.log('consuming')
