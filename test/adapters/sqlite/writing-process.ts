// A process that appends to the store named by its first argument, as often as the second says, one after another.
import { fact, openStore, unit } from './store.ts'

const [file = '', count = '0', name = 'p'] = process.argv.slice(2)
const store = await openStore(file, { lockTimeout: 20_000 })
console.log('ready')
let slowest = 0
for (let n = 0; n < Number(count); n += 1) {
  const since = performance.now()
  await store.transactions.commit({ name: 'append' }, unit([fact('shared', n), fact(name, n)]))
  slowest = Math.max(slowest, performance.now() - since)
}
await store.close()
console.log(`done, slowest ${Math.round(slowest)} ms`)
