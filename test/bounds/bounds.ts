import { STACKS } from '../../apps/orders/stack.ts'
import type { Bound } from './bound.ts'
import { requests } from './requests/check.ts'

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
]
