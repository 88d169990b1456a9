// A process that opens a view when all others do, and saves the rows that all others save.
import type { ViewShape } from 'obverse'
import { openViews, query } from './database.ts'

const [url = '', name = 'p'] = process.argv.slice(2)
const shape: ViewShape = {
  name: 'shared',
  key: 'id',
  lookups: [{ by: ['status'], descending: false }],
  search: { fields: ['name'], by: [] },
}
const store = await openViews(url)
console.log('ready')
await query(url, 'SELECT pg_advisory_lock_shared(4711)')
const table = await store.open(shape, 1)
let [accepted, advanced] = [0, 0]
for (let mark = 1; mark <= 20; mark += 1) {
  const rows = Array.from({ length: 60 }, (_, n) => ({ id: `r${n}`, key: 'k', mark, data: { status: 'new', name } }))
  accepted += rows.length - (await table.save(rows)).length
  if (await store.checkpoints?.advance('shared', mark - 1, mark)) advanced += 1
}
await store.close?.()
console.log(`accepted ${accepted}, advanced ${advanced}.`)
