import {
  type AppOptions,
  aggregate,
  command,
  createApp,
  decide,
  event,
  type Runtime,
  refuse,
  systemRuntime,
} from 'obverse'
import { memory } from 'obverse/memory'
import * as z from 'zod'

/** A small domain for tests of the command side. */
export const Placing = z.strictObject({ orderId: z.string().min(1), lines: z.array(z.string()).min(1) })
export const PlaceOrder = command('orders.place', Placing)
export const AddLine = command('orders.add-line', z.object({ orderId: z.string(), line: z.string() }))
export const OrderPlaced = event('orders.placed', z.object({ orderId: z.string(), lines: z.array(z.string()) }))
export const LineAdded = event('orders.line-added', z.object({ line: z.string(), at: z.number().default(0) }))

export interface Order {
  readonly lines: readonly string[]
}

export const order = aggregate('order', (): Order | undefined => undefined)
  .on(OrderPlaced, (_, placed) => ({ lines: placed.lines }))
  .on(LineAdded, (state, added) => ({ lines: [...(state?.lines ?? []), added.line] }))

export const placeOrder = decide(PlaceOrder, { aggregate: order, id: (c) => c.orderId }, (c, state) =>
  state ? refuse('The order is placed already', { reason: 'placed' }) : OrderPlaced(c),
)
export const addLine = decide(AddLine, { aggregate: order, id: (c) => c.orderId }, (c, state) =>
  state ? LineAdded({ line: c.line }) : refuse('There is no such order', { code: 'NOT_FOUND' }),
)

/** A runtime of the system with some protections off. */
export function without(...protections: Parameters<NonNullable<Runtime['without']>['has']>[0][]): Runtime {
  return { ...systemRuntime, without: new Set(protections) }
}

export function ordersApp(options: Partial<Omit<AppOptions<never>, 'handlers'>> = {}) {
  return createApp({ handlers: [placeOrder, addLine], store: memory(), ...options })
}
