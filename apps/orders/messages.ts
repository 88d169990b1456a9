import { command, event, query } from 'obverse'
import { z } from 'zod'
import { CustomerEmail, CustomerName, Items, Status, unknownField } from './fields.ts'

// Everything that travels in this application. Commands and queries refuse what they do not know; events, which older
// and newer releases exchange, are read with tolerance.

export const CreateOrder = command(
  'order.create',
  z.strictObject(
    {
      customer_name: CustomerName,
      customer_email: CustomerEmail,
      items: Items,
      total_amount: z
        .number()
        .optional()
        .meta({ description: 'Computed when left out; another than the items cost is a 422', examples: [999.99] }),
    },
    { error: unknownField },
  ),
)

export const UpdateOrder = command(
  'order.update',
  z
    .strictObject(
      {
        id: z.uuid().toLowerCase(),
        items: Items.optional(),
        status: Status.optional(),
        total_amount: z
          .number()
          .optional()
          .meta({ description: 'Of the new items; only together with them', examples: [999.99] }),
      },
      { error: unknownField },
    )
    .superRefine((change, { addIssue }) => {
      if (change.items !== undefined) return
      if (change.total_amount !== undefined) {
        addIssue({ code: 'custom', path: ['total_amount'], message: 'may only be given together with items' })
      } else if (change.status === undefined) {
        for (const field of ['items', 'status']) {
          addIssue({ code: 'custom', path: [field], message: 'is required: give items, a status or both' })
        }
      }
    }),
)

/** As the write side tells it. Prices and totals are amounts, not cents. */
const StoredItems = z.array(z.object({ product: z.string(), quantity: z.number(), price: z.number() }))

export const OrderCreated = event(
  'order.created',
  z.object({
    order_id: z.uuid(),
    customer_name: z.string(),
    customer_email: z.string(),
    items: StoredItems,
    total_amount: z.number(),
    status: Status,
    created_at: z.iso.datetime(),
    version: z.int().min(1),
  }),
  { key: (e) => e.order_id },
)

/** Fields that did not change are absent. */
export const OrderUpdated = event(
  'order.updated',
  z.object({
    order_id: z.uuid(),
    status: Status.exactOptional(),
    items: StoredItems.exactOptional(),
    total_amount: z.number().exactOptional(),
    updated_at: z.iso.datetime(),
    version: z.int().min(2),
  }),
  { key: (e) => e.order_id },
)

/** An order as readers see it. */
export const Order = z.object({
  id: z.uuid(),
  customer_name: z.string(),
  customer_email: z.string(),
  items: StoredItems,
  total_amount: z.number(),
  status: Status,
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime().nullable(),
})
export type Order = z.infer<typeof Order>

/** What clients are told of an id that names nothing, by both sides. */
export const NO_SUCH_ORDER = 'The order you requested does not exist.'

export const GetOrder = query(
  'order.get',
  z.strictObject({ id: z.string().toLowerCase() }, { error: unknownField }),
  Order.optional(),
)

export const ListOrders = query(
  'order.list',
  z.strictObject(
    {
      status: Status.optional(),
      customer_email: z.string().optional(),
      limit: z.int().min(1).max(200).default(50),
      cursor: z.string().optional().meta({ description: 'From the Link header of the page before' }),
    },
    { error: unknownField },
  ),
  z.object({ orders: z.array(Order), next: z.string().exactOptional() }),
)
