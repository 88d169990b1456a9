// Appends to the store in argv[2], closes it, and says so.
import { fact, openStore, unit } from './store.ts'

const store = await openStore(process.argv[2] ?? '', { migrated: false })
for (let n = 0; n < 20; n += 1) {
  const big = { ...fact('k', n), data: JSON.stringify({ n, text: 'x'.repeat(4_000) }) }
  await store.transactions.commit({ name: 'closing' }, unit([big]))
}
await store.close()
console.log('closed')
