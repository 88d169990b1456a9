import { randomUUIDv7 } from 'node:crypto'
import type { NewEvent } from 'obverse'

/** 400 bytes of JSON, as an order with two lines has. */
const DATA = JSON.stringify({
  orderId: 'x'.repeat(36),
  lines: Array.from({ length: 6 }, () => ({ sku: 'y'.repeat(36), quantity: 1 })),
})

/** A new stream each, with the texts that a bus would hand over. */
export function newEvent(): NewEvent {
  const id = randomUUIDv7()
  return {
    id,
    type: 'orders.placed',
    kind: 'event',
    schemaVersion: 1,
    time: new Date().toISOString(),
    key: id,
    data: DATA,
    metadata: `{"correlationId":"${id}","causationId":"${id}"}`,
    correlationId: id,
    causationId: id,
    channels: ['orders'],
  }
}
