import { projection, view } from 'obverse'
import { z } from 'zod'
import { Order, OrderCreated, OrderUpdated } from './messages.ts'

/** The queue between the two sides. */
export const ORDERS_EVENTS = 'orders_events'

/** A document per order, and its place in the order of acceptance. */
const OrderRow = Order.extend({ accepted: z.int() })

const newestFirst = { order: 'accepted', descending: true } as const

/** The read model. Each way of listing is a look-up, so that it has an index in every store. */
export const orders = view('orders', {
  row: OrderRow,
  key: 'id',
  index: [
    newestFirst,
    { by: ['status'], ...newestFirst },
    { by: ['customer_email'], ...newestFirst },
    { by: ['status', 'customer_email'], ...newestFirst },
  ],
})

/** An event that has no position yet is newer than all that have one. */
const NEWEST = Number.MAX_SAFE_INTEGER

export const orderList = projection('order-list', orders, { feed: { channel: ORDERS_EVENTS } })
  .on(OrderCreated, ({ order_id, version: _, ...order }, rows, event) => {
    rows.put({ id: order_id, ...order, updated_at: null, accepted: event.position ?? NEWEST })
  })
  .on(OrderUpdated, ({ order_id, version: _, ...changes }, rows) => {
    rows.patch(order_id, changes)
  })
