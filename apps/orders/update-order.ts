import { conflict, handle, refuse } from 'obverse'
import { tables } from 'obverse/kysely'
import { NO_SUCH_ORDER, OrderUpdated, UpdateOrder } from './messages.ts'
import { amountOf, totalCents } from './money.ts'
import { loadItems, replaceItems, sameItems } from './order-items.ts'
import { agreedTotal, refusalOf } from './rules.ts'
import type { Tables } from './tables.ts'

/** Changes status, items or both. What is already so is no change: no row is touched and no event is published. */
export const updateOrder = handle(UpdateOrder, { db: tables<Tables>() }, async (change, ctx) => {
  const order = await ctx.db
    .selectFrom('orders')
    .select(['status', 'version'])
    .where('id', '=', change.id)
    .executeTakeFirst()
  if (!order) throw refuse(NO_SUCH_ORDER, { code: 'NOT_FOUND' })
  const total_cents = change.items && agreedTotal(change.items, change.total_amount)
  const refusal = refusalOf(order.status, change)
  if (refusal) throw refusal

  const before = change.items ? await loadItems(ctx.db, change.id) : []
  const items = change.items && !sameItems(change.items, before) ? change.items : undefined
  const status = change.status !== order.status ? change.status : undefined
  if (!items && !status) return

  const version = order.version + 1
  const updated_at = ctx.now().toISOString()
  const { numUpdatedRows } = await ctx.db
    .updateTable('orders')
    .set({ version, updated_at, ...(status && { status }), ...(items && total_cents !== undefined && { total_cents }) })
    .where('id', '=', change.id)
    .where('version', '=', order.version)
    .executeTakeFirst()
  if (numUpdatedRows !== 1n) throw conflict(`Order ${change.id} was changed while it was being updated`)
  if (items) await replaceItems(ctx.db, change.id, items)

  const newTotal = items && total_cents !== totalCents(before) ? total_cents : undefined
  ctx.publish(
    OrderUpdated({
      order_id: change.id,
      ...(status && { status }),
      ...(items && { items: [...items] }),
      ...(newTotal !== undefined && { total_amount: amountOf(newTotal) }),
      updated_at,
      version,
    }),
  )
})
