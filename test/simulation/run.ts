import { type AtRest, type Mutation, type SimulationReport, simulate } from 'obverse/testing'
import { audit, dataOf } from './audit.ts'
import { composeLedger, type Surroundings } from './ledger.ts'
import { load, rebuildByLog } from './load.ts'
import { Memory } from './memory.ts'

export interface SeedOptions {
  readonly without?: readonly Mutation[]
  readonly schedule?: boolean
}

/** The ledger under one seed. */
export function runSeed(seed: number, options: SeedOptions = {}): Promise<SimulationReport> {
  const outside: Surroundings = { mended: false, due: new Map() }
  const memory = new Memory()
  return simulate({
    ...options,
    seed,
    compose: (parts, host) => composeLedger(parts, host, outside),
    load: (client) => load(client, memory),
    async after(rest) {
      const before = await audit(rest, memory, outside)
      if (before.length > 0) return [...memory.wrong, ...before]
      await decide(rest, memory, outside)
      // whoever reads after a rebuild finds everything, and at once
      if (rest.client.world.chance(0.5)) await rebuildByLog(rest.client)
      return [...memory.wrong, ...(await audit(rest, memory, outside))]
    },
  })
}

/** People mend what is wrong and try again, or give up for good, until there is no dead letter. */
async function decide({ client, store, settled }: AtRest, memory: Memory, outside: Surroundings): Promise<void> {
  const skips = client.world.chance(0.5)
  outside.mended = !skips
  for (;;) {
    const dead = await store.deadLetters.list({ limit: 1_000 })
    if (dead.length === 0) return
    for (const letter of dead) {
      const { id, handler, type } = letter
      const skip = type === 'ledger.note' || (skips && handler?.startsWith('apply@'))
      if (skip) memory.skipped.add(`${handler} ${dataOf<{ opId: string }>(letter).opId}`)
      await client.operate(`dead letter ${id} of ${handler} is ${skip ? 'skipped' : 'tried again'}`, ({ operate }) =>
        skip ? operate.deadLetters.skip(id, 'simulated') : operate.deadLetters.retry(id),
      )
    }
    await settled()
  }
}
