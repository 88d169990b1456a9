import { answer } from 'obverse'
import { GetOrder, ListOrders, type Order } from './messages.ts'
import { orders } from './order-view.ts'

export const getOrder = answer(GetOrder, async ({ id }, ctx) => {
  const row = await ctx.view(orders).get(id)
  return row && asOrder(row)
})

/** Newest first, by order of acceptance. */
export const listOrders = answer(ListOrders, async ({ status, customer_email, limit, cursor }, ctx) => {
  const { rows, next } = await ctx.view(orders).find({
    where: { ...(status !== undefined && { status }), ...(customer_email !== undefined && { customer_email }) },
    order: 'accepted',
    descending: true,
    limit,
    ...(cursor !== undefined && { cursor }),
  })
  return { orders: rows.map(asOrder), ...(next !== undefined && { next }) }
})

/** The place in the list is ours. */
function asOrder({ accepted: _, ...order }: Order & { readonly accepted: number }): Order {
  return order
}
