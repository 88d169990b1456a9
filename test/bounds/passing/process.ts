// One process of the application whose memory is watched: `process.ts write COUNT`, `relay` or `consume`.
import type { App } from 'obverse'
import { createPassing, KEYS, Tell } from './app.ts'

const IN_FLIGHT = 64
const TOLD_EVERY = 500
const TEXT = 'x'.repeat(300)

const {
  PASSING_FILE: file,
  PASSING_POSTGRES: postgresUrl = '',
  PASSING_RABBITMQ: rabbitUrl = '',
  PASSING_HOARD: hoard,
} = process.env
const [role = '', count = '0'] = process.argv.slice(2)
const hoarded: unknown[] = []
let handled = 0

const app = createPassing(await storesOf(), () => {
  handled += 1
  if (hoard !== undefined) hoarded.push(Buffer.alloc(8_192))
  if (handled % TOLD_EVERY === 0) console.log(`done ${handled}`)
})
const whole = app as App
await whole.open()
if (role === 'write') await whole.operate.migrate()
await whole.start({ relay: role === 'relay', consume: role === 'consume', project: role === 'consume' })
console.log('Ready.')
process.once('SIGTERM', () => void whole.stop())
if (role === 'write') await write(Number(count))

async function write(total: number): Promise<void> {
  let next = 0
  let sent = 0
  const lane = async () => {
    while (next < total) {
      const key = `k${next++ % KEYS}`
      await app.send(Tell({ key, text: TEXT }))
      sent += 1
      if (sent % TOLD_EVERY === 0) console.log(`done ${sent}`)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  console.log('all written')
}

async function storesOf() {
  if (file !== undefined) {
    const { sqlite } = await import('obverse/sqlite')
    return { store: sqlite(file) }
  }
  const [{ postgres }, { rabbitmq }] = await Promise.all([import('obverse/postgres'), import('obverse/rabbitmq')])
  return { store: postgres(postgresUrl), broker: rabbitmq(rabbitUrl) }
}
