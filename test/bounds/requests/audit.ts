import type { Installation, Json } from '../../../apps/orders/test/installation.ts'
import { until } from '../../processes.ts'
import type { Findings } from '../outcome.ts'

export interface Accepted {
  /** Ids of orders that were answered with 201. */
  readonly created: ReadonlySet<string>
  /** Consistency tokens of changes that were answered with 200. */
  readonly changes: ReadonlySet<string>
  /** Writes that were answered with 503: each was done, whole, or not at all. */
  readonly unknown: number
}

const PATIENCE = 60_000

/** Looks behind the back of the application: what was accepted is whole in every place, and nothing else is anywhere. */
export async function audit(
  orders: Installation,
  { created, changes, unknown }: Accepted,
  findings: Findings,
): Promise<void> {
  const same = (what: string, is: unknown, should: unknown): void => {
    if (is !== should) findings.add(`${what}: ${is} instead of ${should}`)
  }
  const rows = await orders.rows('SELECT id, status, version, updated_at FROM orders')
  const ids = new Set<string>(rows.map(({ id }) => id))
  for (const id of created) if (!ids.has(id)) findings.add('an order that was accepted is not there', id)
  const more = [...ids].filter((id) => !created.has(id))
  if (more.length > unknown) for (const id of more) findings.add('an order that nobody accepted', id)
  const events = await orders.rows('SELECT type, count(*) AS n FROM obverse_event GROUP BY type')
  const logged = (type: string): number => Number(events.find((row) => row.type === type)?.n ?? 0)
  same('events order.created', logged('order.created'), ids.size)
  const changed = logged('order.updated')
  if (changed < changes.size || changed > changes.size + unknown) same('events order.updated', changed, changes.size)
  same('versions of the rows together', sum(rows.map(({ version }) => version)), ids.size + changed)
  const [money] = await orders.rows(
    `SELECT count(*) AS n FROM orders WHERE total_cents <> (SELECT sum(quantity * price_cents) FROM order_items WHERE order_id = id)`,
  )
  same('orders whose items cost something else', Number(money.n), 0)
  const atRest = async () => (await orders.waiting()) === 0
  await until('the queue to be empty', atRest, PATIENCE).catch((error) => findings.add(String(error)))
  const letters = await orders.deadLetters()
  same('dead letters', letters.length, 0)
  const shown = await allShown(orders, created.size)
  for (const { id, status, updated_at } of rows) {
    const order = shown.get(id)
    if (!order) findings.add('an order that does not come to the view', id)
    else if (order.status !== status || order.updated_at !== updated_at)
      findings.add('an order that is older in the view', id)
  }
  same('orders in the view', shown.size, rows.length)
}

/** All pages of the list, once it is as long as it should be. */
async function allShown(orders: Installation, count: number): Promise<ReadonlyMap<string, Json>> {
  const look = async () => {
    const shown = new Map<string, Json>()
    for (let path: string | undefined = '/orders?limit=200'; path !== undefined; ) {
      const { json, headers } = await orders.get(path)
      for (const order of json.data) shown.set(order.id, order)
      path = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1]
    }
    return shown
  }
  await until('the view', async () => (await look()).size >= count, PATIENCE).catch(() => {})
  return look()
}

function sum(numbers: readonly unknown[]): number {
  return numbers.reduce<number>((all, one) => all + Number(one), 0)
}
