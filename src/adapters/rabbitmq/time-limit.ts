import { type Runtime, sleep } from 'obverse'

/** Waits for `work`, though not beyond `limit` ms. Resolves with whether it has ended. Rejects as it does; what comes of it later is nobody's. */
export async function endsWithin(limit: number, work: Promise<unknown>, runtime: Runtime): Promise<boolean> {
  const enough = new AbortController()
  try {
    return await Promise.race([work.then(() => true), sleep(runtime, limit, enough.signal).then(() => false)])
  } finally {
    enough.abort()
  }
}
