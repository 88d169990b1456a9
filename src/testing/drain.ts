import { type App, ObverseError } from 'obverse'

/** Rounds after which an application counts as one that never comes to rest. */
const MOST = 10_000

/**
 * Does everything that is due, and what follows from it, until nothing is left. No sleeping: what is due later stays,
 * until the test moves its clock. Resolves with how much was done.
 *
 * @example
 * await app.send(PlaceOrder({ orderId, lines }))
 * await drain(app)
 */
export async function drain(app: Pick<App, 'drain' | 'name'>): Promise<number> {
  let all = 0
  for (let round = 0; round < MOST; round += 1) {
    const done = await app.drain()
    if (done === 0) return all
    all += done
  }
  throw new ObverseError(
    'CONFIGURATION_INVALID',
    `${app.name} did ${all} things in ${MOST} rounds and is not idle: does a handler send what leads back to it?`,
  )
}
