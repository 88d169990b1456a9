// A process that subscribes to the channel `work` of the store named by its first argument and settles nothing.
import { openStore } from './store.ts'

const store = await openStore(process.argv[2] ?? '')
await store.broker.subscribe('work', {
  prefetch: 10,
  onDeliveries: (deliveries) => console.log(`took ${deliveries.length}`),
})
console.log('subscribed')
