// Sends operations to a ledger in one file, one after the other, and says of each what it was answered.
import { writeSync } from 'node:fs'
import { type Protection, systemRuntime } from 'obverse'
import { sqlite } from 'obverse/sqlite'
import { createLedger } from './app.ts'
import { Enter } from './messages.ts'

const [file = '', count = '0', ...without] = process.argv.slice(2)
const runtime = { ...systemRuntime, without: new Set(without as Protection[]) }
const app = createLedger({ store: sqlite(file), runtime }, 1, {
  pause: async () => {},
  away: () => false,
  refusing: () => false,
})
// nothing may be in a buffer when the process ends
const say = (text: string) => writeSync(1, `${text}\n`)

await app.start({ relay: false, consume: false, project: false })
for (let number = 1; number <= Number(count); number += 1) {
  const opId = `op-${number}`
  try {
    await app.send(Enter({ opId, key: `key-${number % 2}`, amount: number }))
    say(`answered ${opId}`)
  } catch (error) {
    say(`refused ${opId}: ${error}`)
  }
}
say('over')
await app.stop()
