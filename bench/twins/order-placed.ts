import { randomUUIDv7 } from 'node:crypto'
import type { NewEvent } from 'obverse'
import { OrderPlaced, PlaceOrder } from '../decide-messages.ts'

/** Checks a request and makes its event with the envelope that ours has; `undefined`: the request is wrong. */
export function placedBy(body: { readonly orderId: string }): NewEvent | undefined {
  const parsed = PlaceOrder.schema['~standard'].validate(body)
  if (parsed instanceof Promise || parsed.issues) return undefined
  const event = OrderPlaced.schema['~standard'].validate(parsed.value)
  if (event instanceof Promise || event.issues) throw new Error('bad event')
  const commandId = randomUUIDv7()
  return {
    id: randomUUIDv7(),
    type: 'orders.placed',
    kind: 'event',
    schemaVersion: 1,
    time: new Date().toISOString(),
    key: body.orderId,
    data: JSON.stringify(event.value),
    metadata: `{"correlationId":"${commandId}","causationId":"${commandId}","causationType":"orders.place"}`,
    correlationId: commandId,
    causationId: commandId,
    channels: ['orders'],
  }
}
