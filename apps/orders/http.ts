import type { FastifyInstance, FastifyRequest } from 'fastify'
import { httpServer, type OnError, routes } from 'obverse/fastify'
import { z } from 'zod'
import type { OrdersApp } from './app.ts'
import { envelope } from './envelope.ts'
import { CreateOrder, GetOrder, ListOrders, NO_SUCH_ORDER, Order, UpdateOrder } from './messages.ts'

export const BANNER = 'CQRS Event-Driven Order API'

const message = (text: string) => z.object({ message: z.literal(text) })
const CREATED = 'Order created successfully'
const UPDATED = 'Order updated successfully'

/** The API: which request is which message, and what the client is told. Listens to nothing yet. */
export function ordersApi(app: OrdersApp, onError: OnError): FastifyInstance {
  const paths = routes(app)
    .post('/orders', CreateOrder, {
      summary: 'Create an order',
      status: 201,
      reply: ({ id }) => ({ id, message: CREATED }),
      answer: message(CREATED).extend({ id: z.uuid() }),
      headers: { Location: { description: 'Where the order can be read', value: ({ id }) => `/orders/${id}` } },
    })
    .patch('/orders/:id', UpdateOrder, {
      summary: 'Change status or items of an order',
      reply: () => ({ message: UPDATED }),
      answer: message(UPDATED),
      refusals: { 404: NO_SUCH_ORDER, 409: 'The order is final, or its status cannot become that.' },
    })
    .get('/orders', ListOrders, {
      summary: 'List orders, newest first',
      reply: ({ orders }) => orders,
      answer: z.array(Order),
      headers: {
        Link: { description: 'rel="next": the next page', value: ({ next }, request) => nextPage(request, next) },
      },
    })
    .get('/orders/:id', GetOrder, { summary: 'Read one order', missing: NO_SUCH_ORDER })

  return httpServer(paths, {
    title: BANNER,
    version: '1.0.0',
    description: 'Writes go to one side, reads come from the other, and events between them are never lost.',
    banner: BANNER,
    envelope,
    cors: true,
    onError,
  })
}

function nextPage(request: FastifyRequest, cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined
  const query = new URLSearchParams({ ...(request.query as Record<string, string>), cursor })
  return `</orders?${query}>; rel="next"`
}
