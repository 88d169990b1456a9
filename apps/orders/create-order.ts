import { handle } from 'obverse'
import { tables } from 'obverse/kysely'
import { CreateOrder, OrderCreated } from './messages.ts'
import { amountOf } from './money.ts'
import { insertItems } from './order-items.ts'
import { agreedTotal } from './rules.ts'
import type { Tables } from './tables.ts'

export const createOrder = handle(CreateOrder, { db: tables<Tables>() }, async (order, ctx) => {
  const { customer_name, customer_email, items } = order
  const total_cents = agreedTotal(items, order.total_amount)
  const id = ctx.id()
  const created_at = ctx.now().toISOString()
  const row = { id, customer_name, customer_email, status: 'pending', version: 1, created_at } as const

  await ctx.db
    .insertInto('orders')
    .values({ ...row, total_cents, updated_at: null })
    .execute()
  await insertItems(ctx.db, id, items)

  const { id: order_id, ...told } = row
  ctx.publish(OrderCreated({ order_id, ...told, items, total_amount: amountOf(total_cents) }))
  return { id }
})
