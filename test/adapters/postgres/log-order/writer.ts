// Writers as applications have them: slow, sometimes rolled back, and often writing elsewhere before they append.
import type { OpenStore } from 'obverse'
import { join } from 'obverse/postgres'
import pg from 'pg'
import { unitOf } from '../unit.ts'

export interface Writing {
  readonly url: string
  readonly store: OpenStore
  readonly writers: number
  readonly keys: readonly string[]
  /** Longest hold, milliseconds. */
  readonly hold: number
  readonly rolledBack: number
  readonly random: () => number
  readonly until: () => boolean
}

export interface Written {
  readonly committed: Set<string>
  readonly transactions: number
  readonly rollbacks: number
}

/** Writes until it is told to stop; resolves with what is in the log by then. */
export async function write(writing: Writing): Promise<Written> {
  const committed = new Set<string>()
  const counts = { transactions: 0, rollbacks: 0 }
  const loop = async () => {
    const client = new pg.Client({ connectionString: writing.url })
    await client.connect()
    while (!writing.until()) {
      counts.transactions += 1
      const ids = await one(client, writing)
      if (!ids) counts.rollbacks += 1
      for (const id of ids ?? []) committed.add(id)
    }
    await client.end()
  }
  await Promise.all(Array.from({ length: writing.writers }, loop))
  return { committed, ...counts }
}

/** Ids of what was committed; `undefined`: rolled back. */
async function one(client: pg.Client, writing: Writing): Promise<readonly string[] | undefined> {
  const { store, keys, random, rolledBack } = writing
  const some = () => keys[Math.floor(random() * keys.length)] as string
  const own = random() < 0.2 ? [some(), some()] : [some()]
  await client.query('BEGIN')
  if (random() < 0.5) {
    // from here on the transaction has its place among all others, long before it appends
    await client.query('INSERT INTO elsewhere VALUES ($1)', [own[0]])
    await hold(writing)
  }
  const unit = unitOf(...own)
  await store.transactions.join?.(join(client), unit)
  await hold(writing)
  if (random() < rolledBack) {
    await client.query('ROLLBACK')
    return undefined
  }
  await client.query('COMMIT')
  return unit.events.map(({ id }) => id)
}

/** Mostly short, sometimes the longest. */
function hold({ hold: longest, random }: Writing): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, longest * random() ** 4)
  })
}
