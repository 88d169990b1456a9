import { STACKS, type Stack } from '../../apps/orders/stack.ts'
import type { Bound } from './bound.ts'
import { longLog } from './log/check.ts'
import { messages } from './messages/check.ts'
import { passing, type Way } from './passing/check.ts'
import { requests } from './requests/check.ts'

/** Memory while messages pass, on one stack or both. */
function memory(name: string, asks: string, way: Way, count: number, on: readonly Stack[]): Bound {
  return {
    name,
    asks,
    unit: 'messages',
    count,
    stacks: on,
    async run(stacks, { stack, count: messages }) {
      const { env, relayed, silence, close } = await stacks.passing(stack)
      try {
        if (way === 'never') await silence()
        return await passing({ env, relayed, way, count: messages, name: `${name}, ${stack}` })
      } finally {
        await close()
      }
    },
  }
}

export const BOUNDS: readonly Bound[] = [
  {
    name: 'requests',
    asks: 'requests made of the OpenAPI document and mutations of it: no crash, no 5xx, no internal text, nothing half done',
    unit: 'requests',
    count: 100_000,
    stacks: STACKS,
    async run(stacks, { stack, count, seed }) {
      const orders = await stacks.orders(stack)
      try {
        return await requests(orders, { count, seed })
      } finally {
        await orders.end()
      }
    },
  },
  {
    name: 'messages',
    asks: 'malformed messages on the queue: each is a dead letter with its reason and its bytes, and the good ones are handled',
    unit: 'messages',
    count: 20_000,
    stacks: STACKS,
    async run(stacks, { stack, count, seed }) {
      const orders = await stacks.orders(stack)
      try {
        return await messages(orders, { count, seed })
      } finally {
        await orders.end()
      }
    },
  },
  memory(
    'memory',
    'memory stays flat while messages pass through writer, relay and consumer',
    'beside',
    1_000_000,
    STACKS,
  ),
  memory('behind', 'memory stays flat in a consumer that comes when all are waiting', 'behind', 1_000_000, STACKS),
  memory('broker-down', 'memory stays flat while commands are accepted and the broker is down', 'never', 100_000, [
    'servers',
  ]),
  {
    name: 'log',
    asks: 'with many events in the log append, relay and read are as fast as with 10,000, and a rebuild at half the speed of a projection',
    unit: 'events',
    count: 1_000_000,
    stacks: STACKS,
    async run(stacks, { stack, count }) {
      const [small, large] = [await stacks.store(stack), await stacks.store(stack)]
      try {
        return await longLog({ name: `log, ${stack}`, small: small.store, large: large.store, count })
      } finally {
        await Promise.all([small.close(), large.close()])
      }
    },
  },
]
