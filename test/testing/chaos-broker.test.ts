import assert from 'node:assert/strict'
import type { BrokerDelivery } from 'obverse'
import { memoryBroker } from 'obverse/memory'
import { type ChaosOptions, chaosBroker, seededRandom, testRuntime } from 'obverse/testing'
import { describe, test } from 'vitest'

async function deliver(options: Partial<ChaosOptions>): Promise<readonly BrokerDelivery[]> {
  const runtime = testRuntime()
  const broker = chaosBroker(memoryBroker(), { random: seededRandom(5), runtime, ...options })
  await broker.declare([{ name: 'work' }])
  await broker.publish(
    Array.from({ length: 200 }, (_, n) => ({ messageId: `m${n}`, channel: 'work', key: 'k', body: String(n) })),
  )
  const came: BrokerDelivery[] = []
  await broker.subscribe('work', { prefetch: 1_000, onDeliveries: (deliveries) => void came.push(...deliveries) })
  // of one key only so many are out at once: the next come when these are settled
  for (let settled = 0, rounds = 0; rounds < 20; rounds += 1) {
    await runtime.advance(1_000)
    for (; settled < came.length; settled += 1) await came[settled]?.ack()
  }
  assert.equal((await broker.stats())[0]?.messages, 0)
  await broker.close()
  return came
}

const inOrder = Array.from({ length: 200 }, (_, n) => String(n))
const bodies = (came: readonly BrokerDelivery[]) => came.map(({ body }) => body)

describe('a broker with worse manners', () => {
  test('changes nothing unless it is told to', async () => {
    assert.deepEqual(bodies(await deliver({})), inOrder)
  })

  test('delivers twice, and says so', async () => {
    const came = await deliver({ duplicate: 0.3 })
    const again = came.filter(({ redelivered }) => redelivered).length
    assert.ok(again > 30 && again < 90, `${again} of 200`)
    assert.equal(came.length, 200 + again)
    assert.deepEqual([...new Set(bodies(came))], inOrder)
  })

  test('delivers out of order, losing nothing', async () => {
    const came = bodies(await deliver({ reorder: 0.3 }))
    assert.notDeepEqual(came, inOrder)
    assert.deepEqual(
      came.toSorted((a, b) => Number(a) - Number(b)),
      inOrder,
    )
  })

  test('delivers late, losing nothing', async () => {
    const came = bodies(await deliver({ delay: 50 }))
    assert.notDeepEqual(came, inOrder)
    assert.equal(new Set(came).size, 200)
  })

  test('is the same for the same seed', async () => {
    const run = () => deliver({ duplicate: 0.2, reorder: 0.2, delay: 20, random: seededRandom(9) })
    assert.deepEqual(bodies(await run()), bodies(await run()))
  })
})
