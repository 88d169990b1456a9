import fc from 'fast-check'
import type { EventEnvelope, ViewTable } from 'obverse'
import { expect, test } from 'vitest'
import { type Applier, createApplier } from '../../src/read/applier.ts'
import { createWorld, type Said, thingsProjection } from './world.ts'

const said: fc.Arbitrary<Said> = fc
  .record({
    key: fc.constantFrom('a', 'a', 'b'),
    type: fc.constantFrom('put', 'add', 'add', 'label', 'gone', 'silent', 'foreign'),
    row: fc.constantFrom(':1', ':1', ':2', ''),
    n: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ key, type, row, n }) => ({ key, type, data: { id: key + row, n, make: true, text: `t${n}` } }))

/** A store without a snapshot: a load and a save are many small ones, and others come between. */
function piecemeal(table: ViewTable, scheduler: fc.Scheduler): ViewTable {
  const soon = () => scheduler.schedule(Promise.resolve())
  const slowly = async <T>(work: () => Promise<T>): Promise<T> => {
    await soon()
    const answer = await work()
    await soon()
    return answer
  }
  return {
    get: (id) => table.get(id),
    find: (question) => table.find(question),
    count: () => table.count(),
    async load(ids) {
      const rows = await Promise.all(ids.map((id) => slowly(() => table.load([id]))))
      return rows.flat()
    },
    async save(rows) {
      const refused = await Promise.all(rows.map((row) => slowly(() => table.save([row]))))
      return refused.flat()
    },
  }
}

test('batches that run side by side, in one projector and in two, over a store without snapshots, give the fold', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(said, { minLength: 4, maxLength: 14 }),
      fc.array(fc.tuple(fc.constantFrom(0, 0, 1), fc.array(fc.nat(13), { minLength: 1, maxLength: 4 })), {
        minLength: 2,
        maxLength: 8,
      }),
      fc.scheduler(),
      async (all, batches, scheduler) => {
        const world = await createWorld()
        const projection = thingsProjection()
        await world.append(...all)
        const events = await world.events()
        const { table } = await world.generations.look(projection.view)
        const { log } = world.store
        const slow = piecemeal(table, scheduler)
        const appliers = [0, 1].map(() => createApplier({ projection, table: slow, log, runtime: world.runtime }))
        const at = (n: number) => events[n % events.length] as EventEnvelope
        // now both remember the keys
        for (const applier of appliers) await scheduler.waitFor(applier.apply(events.slice(0, 2)))
        const running = Promise.all(batches.map(([applier, indexes]) => appliers[applier]?.apply(indexes.map(at))))
        for (const applied of (await scheduler.waitFor(running)) ?? []) expect(applied?.failed).toEqual([])
        // what a batch remembers of rows must not be older than what it remembers of their key
        await scheduler.waitFor((appliers[0] as Applier).apply(events))
        expect(await world.rows(projection)).toEqual(await world.expected(projection))
      },
    ),
    { numRuns: 150, seed: 21 },
  )
})
