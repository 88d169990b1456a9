import type { Order } from '../messages.ts'
import { printFailure, request } from './api.ts'
import { columns } from './columns.ts'
import { type Command, text } from './command.ts'

const FILTERS = { status: 'status', email: 'customer_email', limit: 'limit', cursor: 'cursor' } as const

export const getOrdersCommand: Command = {
  says: 'lists orders, newest first',
  usage: ['--status STATUS --email EMAIL --limit N --cursor CURSOR'],
  options: {
    status: { type: 'string' },
    email: { type: 'string' },
    limit: { type: 'string' },
    cursor: { type: 'string' },
  },
  async run(values) {
    const query = new URLSearchParams()
    for (const [option, parameter] of Object.entries(FILTERS)) {
      const value = text(values, option)
      if (value !== undefined) query.set(parameter, value)
    }
    const answer = await request(values, `/orders${query.size > 0 ? `?${query}` : ''}`)
    if (values.json) console.log(answer.text)
    else if (answer.status !== 200) printFailure(answer)
    else print(answer.json?.data as Order[], answer.headers.get('link'))
    return answer.status === 200 ? 0 : 1
  },
}

function print(orders: readonly Order[], link: string | null): void {
  if (orders.length === 0) {
    console.log('No orders.')
    return
  }
  const rows = orders.map(({ id, created_at, status, customer_name, items, total_amount }) => [
    id,
    created_at,
    status,
    customer_name,
    items.length,
    total_amount.toFixed(2),
  ])
  console.log(columns(['ID', 'CREATED', 'STATUS', 'CUSTOMER', 'ITEMS', 'TOTAL'], rows, [4, 5]))
  const cursor = /cursor=([^&>]+)/.exec(link ?? '')?.[1]
  if (cursor) console.log(`\nMore: --cursor ${decodeURIComponent(cursor)}`)
}
