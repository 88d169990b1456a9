import { type App, type AppOptions, createApp } from 'obverse'
import { createOrder } from './create-order.ts'
import { MAIL, mailLog } from './mail-log.ts'
import { migrations } from './migrations.ts'
import { ORDERS_EVENTS, orderList, orders } from './order-view.ts'
import { getOrder, listOrders } from './queries.ts'
import { updateOrder } from './update-order.ts'

const handlers = [createOrder, updateOrder, getOrder, listOrders] as const

export type OrdersApp = App<(typeof handlers)[number]>

/** Where the application keeps things. Only main.ts names adapters. */
export interface OrdersStores {
  readonly store: NonNullable<AppOptions<[]>['store']>
  readonly broker?: NonNullable<AppOptions<[]>['broker']>
  /** Where the documents are. Default: the store. */
  readonly views?: NonNullable<AppOptions<[]>['views']>[string]
}

export interface OrdersOptions {
  /** A second subscriber of order.created. Default: none. */
  readonly mailLog?: boolean
  /** Queues among which a broker divides the orders, each with one active consumer. Default 1. */
  readonly partitions?: number
}

/** The whole application, on whatever stores it is given. Starts nothing. */
export function createOrders({ store, broker, views }: OrdersStores, options: OrdersOptions = {}): OrdersApp {
  return createApp({
    name: 'orders',
    handlers: options.mailLog ? [...handlers, mailLog] : [...handlers],
    projections: [orderList],
    channels: { [ORDERS_EVENTS]: { partitions: options.partitions ?? 1 }, ...(options.mailLog && { [MAIL]: {} }) },
    migrations,
    store,
    ...(broker && { broker }),
    ...(views && { views: { [orders.name]: views } }),
    // an event holds what a body of 1 MiB held, and a little more
    limits: { payload: 4 * 1_048_576 },
  })
}
