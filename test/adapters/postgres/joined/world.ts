// An application whose code base opens its own transactions.
import { type App, answer, query as ask, command, createApp, event, handle, projection, view } from 'obverse'
import { postgres } from 'obverse/postgres'
import { z } from 'zod'
import { until } from '../../../processes.ts'
import { newSchema, query } from '../database.ts'

export const OrderPlaced = event('orders.placed', z.object({ orderId: z.string(), text: z.string() }), {
  key: ({ orderId }) => orderId,
})
export const SendMail = command('mail.send', z.object({ orderId: z.string() }))
export const Place = command('orders.place', z.object({ orderId: z.string(), text: z.string() }))

const OrderRow = z.object({ orderId: z.string(), text: z.string(), placedTimes: z.number() })
export const orders = view('orders', { row: OrderRow, key: 'orderId' })

const GetOrder = ask('orders.get', z.object({ orderId: z.string() }), OrderRow.optional())

export interface World {
  readonly app: App
  readonly url: string
  /** What was handled: events by `key seq`, commands by their order. */
  readonly handled: string[]
  rows<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>
  /** What was committed before this call has a position, and was offered to its handlers. */
  settled(): Promise<void>
  /** The row of an order, once it shows what the token names. */
  shown(orderId: string, token: string): Promise<unknown>
  close(): Promise<void>
}

export async function openWorld(server: string, { inline = true, poll = 50 } = {}): Promise<World> {
  const url = await newSchema(server)
  const handled: string[] = []
  let settling = 0
  const app = createApp({
    store: postgres(url, { connections: 8, poll }),
    handlers: [
      handle(Place, async (data, ctx) => ctx.publish(OrderPlaced(data))),
      handle(OrderPlaced, { channel: 'mail', name: 'mail' }, async (_, ctx) => {
        handled.push(`${ctx.message.key} ${ctx.message.seq}`)
      }),
      answer(GetOrder, ({ orderId }, ctx) => ctx.view(orders).get(orderId)),
      handle(SendMail, { channel: 'mail' }, async ({ orderId }) => {
        handled.push(`command ${orderId}`)
      }),
    ],
    projections: [
      projection('orders', orders, { feed: inline ? 'inline' : 'log' }).on(OrderPlaced, ({ orderId, text }, rows) => {
        rows.increment(orderId, { placedTimes: 1 }, { orderId, text, placedTimes: 0 })
      }),
    ],
    migrations: [
      {
        name: '001-sales',
        up: async (db) => {
          await db.execute('CREATE TABLE sale (id text NOT NULL)', [])
        },
      },
    ],
  })
  await app.open()
  return {
    app: app as unknown as App,
    url,
    handled,
    rows: (sql, values) => query(url, sql, values),
    async settled() {
      settling += 1
      await app.send(Place({ orderId: `settled-${settling}`, text: '' }))
      await until('the next delivery', () => handled.includes(`settled-${settling} 1`))
    },
    shown: (orderId, after) => app.ask(GetOrder({ orderId }), { after }),
    close: () => app.stop(),
  }
}
