// Claims that the server has made and whose answer never came: nobody else may have such rows for as long as their owner lives.
import { createRegistry, type OpenStore, type OutboxRow, systemRuntime } from 'obverse'
import { postgres } from 'obverse/postgres'
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { arrival, definitions, order } from '../../../src/testing/conformance/messages.ts'
import { unit } from '../../../src/testing/conformance/units.ts'
import { until } from '../../processes.ts'
import { fresh } from '../../servers.ts'
import { newSchema } from './database.ts'

const server = await fresh('postgres')

/** A pool one of whose connections breaks when the transaction of a statement has been committed, before it is told so. */
function breaking(url: string) {
  const pool = new pg.Pool({ connectionString: url, max: 6 })
  pool.on('error', () => {})
  const plan = { statement: '', broken: 0 }
  pool.on('connect', (client) => {
    client.on('error', () => {})
    const query = client.query.bind(client) as (config: { name?: string; text: string }) => Promise<unknown>
    let transaction = false
    let met = false
    const lost = async (config: { name?: string; text: string }): Promise<unknown> => {
      const answer = query(config)
      if (/^BEGIN/.test(config.text)) transaction = true
      if (config.name?.endsWith(plan.statement) && plan.statement !== '') met = true
      const over = !transaction || config.text === 'COMMIT'
      if (over) transaction = false
      if (!met || !over) return answer
      met = false
      plan.statement = ''
      plan.broken += 1
      await answer
      await query({ text: 'SELECT pg_terminate_backend(pg_backend_pid())' }).catch(() => {})
      throw new Error('Connection terminated unexpectedly')
    }
    client.query = ((config: never) => lost(config)) as never
  })
  return { pool, plan }
}

describe.skipIf(server.missing)('a claim whose answer is lost', () => {
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })

  async function world(relayed: boolean) {
    const { pool, plan } = breaking(await newSchema(server.url))
    const store = await postgres(pool, { poll: 50 }).open({
      runtime: systemRuntime,
      registry: createRegistry(definitions),
      relayed,
    })
    ends.push(
      () => pool.end(),
      () => store.close(),
    )
    await store.schema.migrate([])
    return { store, plan }
  }

  /** As those do who claim: after an outage once more. */
  const insist = <T>(claim: () => Promise<T>): Promise<NonNullable<T>> =>
    until('the store', () => claim().catch(() => undefined))

  async function lose(plan: { statement: string; broken: number }, statement: string, claim: () => Promise<unknown>) {
    const before = plan.broken
    plan.statement = statement
    await until('an answer to be lost', () =>
      claim().then(
        () => false,
        () => plan.broken > before,
      ),
    )
  }

  test('of a held message comes with the next claim', async () => {
    const { store, plan } = await world(false)
    const delivery = arrival('k')
    await store.held.join([delivery])
    await lose(plan, 'held-claim', () => store.held.claim('o', ['h'], 10))
    const [row] = await insist(() => store.held.claim('o', ['h'], 10))
    expect(row).toMatchObject({ messageId: delivery.envelope.id, redelivered: false })
    expect(await store.held.claim('o', ['h'], 10), 'what is known is kept').toEqual([])
  })

  test('of a message in the queue comes with the next one', async () => {
    const { store, plan } = await world(false)
    const seen: string[] = []
    plan.statement = 'choice-oldest'
    await store.broker.put('work', arrival('k').body)
    const subscription = await store.broker.subscribe('work', {
      prefetch: 10,
      onDeliveries: (deliveries) => {
        seen.push(...deliveries.map(({ body }) => body))
      },
    })
    ends.push(() => subscription.close())
    await until('the message', () => seen.length > 0)
    expect(plan.broken).toBe(1)
    expect(seen).toHaveLength(1)
  })

  test.each([
    ['a command', (store: OpenStore) => store.transactions.commit({ name: 'c' }, unit([], [order('k')]))],
    ['a text', (store: OpenStore) => store.broker.put('work', arrival('k').body)],
  ])('of %s in the outbox comes with the next one', async (_, write) => {
    const { store, plan } = await world(true)
    const claim = (): Promise<readonly OutboxRow[]> => store.outbox.claim('o', 10)
    // from now on it leads, and knows of the channel
    await store.broker.put('work', arrival(null).body)
    const before = await claim()
    await store.outbox.done(
      'o',
      before.map(({ id }) => id),
    )
    await write(store)
    await lose(plan, 'relaying-claim', claim)
    expect(await insist(claim)).toHaveLength(1)
    expect(await claim(), 'what is known is kept').toEqual([])
  })
})
