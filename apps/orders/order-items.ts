import type { Kysely } from 'kysely'
import type { Item } from './fields.ts'
import { amountOf, centsOf } from './money.ts'
import type { Tables } from './tables.ts'

/** Rows of one statement: databases bound the number of its parameters. */
const ROWS = 1_000

export async function insertItems(db: Kysely<Tables>, order_id: string, items: readonly Item[]): Promise<void> {
  const rows = items.map(({ product, quantity, price }, position) => ({
    order_id,
    position,
    product,
    quantity,
    price_cents: centsOf(price),
  }))
  for (let from = 0; from < rows.length; from += ROWS) {
    await db
      .insertInto('order_items')
      .values(rows.slice(from, from + ROWS))
      .execute()
  }
}

export async function replaceItems(db: Kysely<Tables>, order_id: string, items: readonly Item[]): Promise<void> {
  await db.deleteFrom('order_items').where('order_id', '=', order_id).execute()
  await insertItems(db, order_id, items)
}

export async function loadItems(db: Kysely<Tables>, order_id: string): Promise<readonly Item[]> {
  const rows = await db
    .selectFrom('order_items')
    .select(['product', 'quantity', 'price_cents'])
    .where('order_id', '=', order_id)
    .orderBy('position')
    .execute()
  return rows.map(({ price_cents, ...item }) => ({ ...item, price: amountOf(Number(price_cents)) }))
}

export function sameItems(some: readonly Item[], others: readonly Item[]): boolean {
  return (
    some.length === others.length &&
    some.every((item, at) => {
      const other = others[at]
      return item.product === other?.product && item.quantity === other.quantity && item.price === other.price
    })
  )
}
