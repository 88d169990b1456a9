import fc from 'fast-check'
import { type EventEnvelope, isObverseError, ObverseError, type Protection, type ViewTable } from 'obverse'
import { describe, expect, test } from 'vitest'
import { createApplier } from '../../src/read/applier.ts'
import { markIds, markOf } from '../../src/read/mark.ts'
import { createWorld, type Said, thingsProjection } from './world.ts'

const KEYS = ['a', 'b', 'c']

/** Events of one key touch the row of the key, two more rows of it, or none. */
const said: fc.Arbitrary<Said> = fc
  .record({
    key: fc.constantFrom(...KEYS),
    type: fc.constantFrom('put', 'add', 'add', 'label', 'gone', 'silent', 'foreign'),
    row: fc.constantFrom('', '', ':1', ':2'),
    n: fc.integer({ min: 1, max: 9 }),
    make: fc.boolean(),
  })
  .map(({ key, type, row, n, make }) => ({ key, type, data: { id: key + row, n, make, text: `t${n}` } }))

interface Delivered {
  readonly event: number
  readonly projector: 0 | 1
  readonly cut: boolean
  readonly torn: boolean
}

/** Which events come, to which of two projectors, where batches end, and whose save breaks off half-way. */
const deliveries: fc.Arbitrary<Delivered[]> = fc.array(
  fc.record({
    event: fc.nat(39),
    projector: fc.constantFrom(0 as const, 1 as const),
    cut: fc.boolean(),
    torn: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  }),
  { maxLength: 80 },
)

function exactness(without: readonly Protection[] = []) {
  return fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 40 }), deliveries, async (all, given) => {
    const world = await createWorld(without)
    const projection = thingsProjection()
    await world.append(...all)
    const events = await world.events()
    const order = given.map((each) => ({ ...each, event: each.event % events.length }))
    // whatever chance left out comes in the end, backwards
    const seen = new Set(order.map(({ event }) => event))
    const late = [...events.keys()].filter((at) => !seen.has(at)).reverse()
    for (const event of late) order.push({ event, projector: 0, cut: event % 3 === 0, torn: false })

    const { table } = await world.generations.look(projection.view)
    const tear = { now: false }
    const torn = tearing(table, tear)
    const { log } = world.store
    const appliers = [0, 1].map(() =>
      createApplier({ projection, table: torn, log, runtime: world.runtime, hotRows: 8 }),
    )
    const batches: EventEnvelope[][] = [[], []]
    const flush = async (projector: number) => {
      const batch = batches[projector] ?? []
      batches[projector] = []
      try {
        expect((await appliers[projector]?.apply(batch))?.failed).toEqual([])
      } catch (error) {
        if (!isObverseError(error, 'STORE_UNREACHABLE')) throw error
        tear.now = false
        appliers[projector]?.forget()
        await appliers[projector]?.apply(batch)
      }
    }
    for (const { event, projector, cut, torn: tearIt } of order) {
      batches[projector]?.push(events[event] as EventEnvelope)
      if (!cut) continue
      tear.now = tearIt
      await flush(projector)
    }
    tear.now = false
    await flush(0)
    await flush(1)
    expect(await world.rows(projection)).toEqual(await world.expected(projection))
    await expectMarks(table, events)
  })
}

/** The mark of every key is that of its last event that the projection handles. */
async function expectMarks(table: ViewTable, events: readonly EventEnvelope[]) {
  const { types } = thingsProjection()
  for (const key of KEYS) {
    const last = events.filter((event) => event.key === key && types.has(event.type)).at(-1)?.seq ?? 0
    const rows = new Map((await table.load(markIds(key))).map((row) => [row.id, row]))
    expect(markOf(key, rows), `mark of ${key}`).toBe(last)
  }
}

/** Saves the later half of a batch and breaks off. */
function tearing(table: ViewTable, tear: { now: boolean }): ViewTable {
  return {
    ...table,
    load: (ids) => table.load(ids),
    get: (id) => table.get(id),
    find: (question) => table.find(question),
    count: () => table.count(),
    async save(rows) {
      if (!tear.now) return table.save(rows)
      await table.save(rows.slice(Math.floor(rows.length / 2)))
      throw new ObverseError('STORE_UNREACHABLE', 'the connection broke')
    },
  }
}

const RUNS = { numRuns: 150, seed: 20 }

describe('a view of one key, filled in any order, twice, late, by two projectors, with broken saves', () => {
  test('equals a fold of the log', async () => {
    await fc.assert(exactness(), RUNS)
  })

  test.each<Protection>(['guard-by-seq', 'jump-fill'])('and would not without %s', async (protection) => {
    expect((await fc.check(exactness([protection]), RUNS)).failed).toBe(true)
  })
})
