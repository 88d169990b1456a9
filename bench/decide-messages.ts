import { command, event } from 'obverse'
import { z } from 'zod'

// What all sides of `post-postgres` and `visible-servers` check and store. Each request is an order of its own: its id comes from
// the server.

const Line = z.object({ sku: z.string(), quantity: z.int().min(1) })
export const PlaceOrder = command('orders.place', z.object({ orderId: z.string(), lines: z.array(Line).min(1) }))
export const OrderPlaced = event('orders.placed', z.object({ orderId: z.string(), lines: z.array(Line) }))
