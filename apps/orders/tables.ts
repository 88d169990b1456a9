import type { ColumnType } from 'kysely'
import type { Status } from './fields.ts'

/** The write model: normalised, money in whole cents. */
export interface Tables {
  orders: {
    id: string
    customer_name: string
    customer_email: string
    status: Status
    /** Written as a bigint and never read back: it is the sum of the items. */
    total_cents: ColumnType<never, bigint, bigint>
    /** 1 when created, one more with each event: two updates that read the same one cannot both be kept. */
    version: number
    /** ISO 8601, UTC. */
    created_at: string
    updated_at: string | null
  }
  order_items: {
    order_id: string
    /** Place in the order, from 0. */
    position: number
    product: string
    quantity: number
    /** Some drivers give a bigint column as text. */
    price_cents: ColumnType<number | string, number, number>
  }
  mail_log: {
    /** Of the event the mail is about. */
    message_id: string
    order_id: string
    recipient: string
    sent_at: string
  }
}
