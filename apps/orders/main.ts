import { join } from 'node:path'
import { sqlite } from 'obverse/sqlite'
import { createOrders, type OrdersApp } from './app.ts'

/** Where the data is when DATA_DIR does not say. */
export const DATA_DIR = '.data/orders'

/** Of which adapters the application is made: the only file that names any. Nothing is opened here. */
export default function main(env: NodeJS.ProcessEnv): OrdersApp {
  return createOrders(
    { store: sqlite(join(env.DATA_DIR || DATA_DIR, 'orders.db')) },
    { mailLog: env.ORDERS_MAIL_LOG === '1' },
  )
}
