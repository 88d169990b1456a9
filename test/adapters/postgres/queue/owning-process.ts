// A process that takes a message of the queue and a held one, or one of the outbox, and settles them when it has found that
// it was stopped and goes on. Arguments: the address, and `queue` or `outbox`.
import { type BrokerDelivery, type Delivery, readEnvelope, type Settlement, sleep, systemRuntime } from 'obverse'
import { ENTRY, openStore, unit } from './store.ts'

/** Longer than a busy machine keeps a process waiting, shorter than the test stops it. */
const STOPPED = 1_200

const [url = '', kind] = process.argv.slice(2)
const store = await openStore(url, { relayed: kind === 'outbox' })

async function untilStopped(): Promise<void> {
  for (let last = systemRuntime.elapsed(); ; last = systemRuntime.elapsed()) {
    await sleep(systemRuntime, 20)
    if (systemRuntime.elapsed() - last > STOPPED) return
  }
}

const commit = async (body: string, handler: string, of: { settlement?: Settlement; heldId?: number }) => {
  const envelope = readEnvelope(body)
  const delivery: Delivery = { envelope, body, channel: 'work', handler, ordered: true, attempts: 0, ...of }
  return (await store.transactions.commit({ ...ENTRY, delivery }, unit())).kind
}

if (kind === 'outbox') {
  const rows = await store.outbox.claim('dying', 10)
  console.log(`took ${rows.length}`)
  await untilStopped()
  const ids = rows.map(({ id }) => id)
  await store.outbox.failed('dying', ids, 0, 'a zombie')
  await store.outbox.done('dying', ids)
  console.log(`ended, claimed again: ${(await store.outbox.claim('dying', 10)).length}`)
} else {
  const taken: BrokerDelivery[] = []
  await store.broker.subscribe('work', { prefetch: 10, onDeliveries: (all) => void taken.push(...all) })
  const held = await store.held.claim('dying', ['h'], 10)
  while (taken.length === 0) await sleep(systemRuntime, 5)
  console.log(`took ${taken.length} and ${held.length}`)
  await untilStopped()
  const [message, row] = [taken[0], held[0]]
  const queued = await commit(message?.body ?? '', 'q', message?.settlement ? { settlement: message.settlement } : {})
  console.log(`queue ${queued}, held ${await commit(row?.body ?? '', 'h', { heldId: row?.heldId ?? 0 })}`)
}
await store.close()
