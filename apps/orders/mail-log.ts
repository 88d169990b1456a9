import { handle } from 'obverse'
import { tables } from 'obverse/kysely'
import { OrderCreated } from './messages.ts'
import type { Tables } from './tables.ts'

export const MAIL = 'mail'

/**
 * A second subscriber of order.created, on a queue of its own. A real one would call a mail service with
 * `ctx.messageId` as its idempotency key; this one keeps a row, in the transaction that marks the event as handled.
 */
export const mailLog = handle(OrderCreated, { channel: MAIL, db: tables<Tables>() }, async (order, ctx) => {
  await ctx.db
    .insertInto('mail_log')
    .values({
      message_id: ctx.messageId,
      order_id: order.order_id,
      recipient: order.customer_email,
      sent_at: ctx.now().toISOString(),
    })
    .execute()
})
