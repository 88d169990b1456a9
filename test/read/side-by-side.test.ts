import fc from 'fast-check'
import type { EventEnvelope, ViewTable } from 'obverse'
import { expect, test } from 'vitest'
import { createApplier } from '../../src/read/applier.ts'
import { createWorld, type Said, thingsProjection } from './world.ts'

const said: fc.Arbitrary<Said> = fc
  .record({
    key: fc.constantFrom('a', 'b'),
    type: fc.constantFrom('put', 'add', 'add', 'label', 'gone', 'silent', 'foreign'),
    row: fc.constantFrom('', ':1', ':2'),
    n: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ key, type, row, n }) => ({ key, type, data: { id: key + row, n, make: true, text: `t${n}` } }))

/** A store without a snapshot: a load and a save are many small ones, and others come between. */
function piecemeal(table: ViewTable, scheduler: fc.Scheduler): ViewTable {
  const soon = () => scheduler.schedule(Promise.resolve())
  return {
    get: (id) => table.get(id),
    find: (question) => table.find(question),
    count: () => table.count(),
    async load(ids) {
      const rows = await Promise.all(ids.map((id) => soon().then(() => table.load([id]))))
      return rows.flat()
    },
    async save(rows) {
      const refused = await Promise.all(rows.map((row) => soon().then(() => table.save([row]))))
      return refused.flat()
    },
  }
}

test('batches that run side by side, in one projector and in two, over a store without snapshots, give the fold', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(said, { minLength: 4, maxLength: 14 }),
      fc.array(fc.tuple(fc.nat(1), fc.array(fc.nat(13), { minLength: 1, maxLength: 6 })), { minLength: 2, maxLength: 6 }),
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
        const running = Promise.all(
          batches.map(([applier, indexes]) => appliers[applier]?.apply(indexes.map(at))),
        )
        for (const applied of (await scheduler.waitFor(running)) ?? []) expect(applied?.failed).toEqual([])
        for (const applier of appliers) {
          const rest = applier.apply(events)
          await scheduler.waitFor(rest)
        }
        expect(await world.rows(projection)).toEqual(await world.expected(projection))
      },
    ),
    { numRuns: 150, seed: 21 },
  )
})
