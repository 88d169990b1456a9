import fc from 'fast-check'
import { type Protection, permanent, type Runtime } from 'obverse'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createApplier } from '../../src/read/applier.ts'
import { createLive } from '../../src/read/live.ts'
import { createProjector, type Projector } from '../../src/read/projector.ts'
import { broken, createParking, createWorld, type Said, thingsProjection, type World } from './world.ts'

const say = (key: string, type: string, more: Record<string, unknown> = {}): Said => ({
  key,
  type,
  data: { id: key, n: 1, make: true, text: 'x', ...more },
})

function project(world: World, options: Partial<Parameters<typeof createProjector>[0]> = {}): Projector {
  const { checkpoints, log } = world.store
  return createProjector({
    projection: thingsProjection(),
    generations: world.generations,
    checkpoints,
    log,
    parking: createParking(),
    runtime: world.runtime,
    ...options,
  })
}

/** Steps until there is no more; a step may crash. */
async function drain(projector: Projector): Promise<void> {
  for (let crashes = 0; crashes < 50; ) {
    try {
      if (!(await projector.step())) return
    } catch {
      crashes += 1
    }
  }
  throw new Error('the projector does not come to an end')
}

beforeEach(() => {
  broken.now = true
})
afterEach(() => {
  broken.now = true
})

const gatheringSaid: fc.Arbitrary<Said> = fc
  .record({
    key: fc.constantFrom('a', 'b', 'c'),
    type: fc.constantFrom('put', 'add', 'add', 'add', 'label', 'gone', 'foreign'),
    id: fc.constantFrom('x', 'y'),
    n: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ key, type, id, n }) => ({ key, type, data: { id, n, make: true, text: `t${n}` } }))

/** Two projectors take turns; steps crash at named points; the checkpoint is watched. */
function gathers(without: readonly Protection[], expectCheckpoint: boolean) {
  return fc.asyncProperty(
    fc.array(gatheringSaid, { minLength: 8, maxLength: 30 }),
    fc.array(fc.tuple(fc.nat(1), fc.constantFrom('', '', 'projection.saved', 'checkpoint.before')), {
      minLength: 6,
      maxLength: 30,
    }),
    fc.constantFrom(1, 3),
    async (all, turns, batch) => {
      let crash = ''
      const reach: Runtime['reach'] = (point) => {
        if (point !== crash) return
        crash = ''
        throw new Error(`crash at ${point}`)
      }
      const world = await createWorld(without, { reach })
      const projection = thingsProjection({ gathering: true })
      const projectors = [0, 1].map(() => project(world, { projection, batch }))
      const half = Math.ceil(all.length / 2)
      await world.append(...all.slice(0, half))
      let last = 0
      for (const [who, where] of turns) {
        crash = where
        await projectors[who]?.step().catch(() => {})
        const now = await world.store.checkpoints.get('thing-list@1')
        if (expectCheckpoint) expect(now).toBeGreaterThanOrEqual(last)
        last = now
      }
      crash = ''
      await world.append(...all.slice(half))
      for (const projector of projectors) await drain(projector)
      expect(await world.rows(projection)).toEqual(await world.expected(projection))
    },
  )
}

describe('a gathering projection, driven by two projectors that crash', () => {
  const runs = { numRuns: 100, seed: 30 }

  test('equals a fold of the log, and its checkpoint only rises', async () => {
    await fc.assert(gathers([], true), runs)
  })

  test('would not without guard-by-position', async () => {
    expect((await fc.check(gathers(['guard-by-position'], false), runs)).failed).toBe(true)
  })

  test('and the checkpoint would fall without checkpoint-fence', async () => {
    expect((await fc.check(gathers(['checkpoint-fence'], true), runs)).failed).toBe(true)
  })
})

describe('a failing event of a view of one key', () => {
  test('parks its key with everything behind it, and the rest goes on', async () => {
    const world = await createWorld()
    const parking = createParking()
    const projector = project(world, { parking, batch: 2 })
    await world.append(
      say('a', 'add'),
      say('a', 'broken'),
      say('a', 'add'),
      say('b', 'add'),
      say('a', 'add'),
      say('b', 'add'),
    )
    await drain(projector)
    expect(await world.rows(projector.projection)).toMatchObject({ a: { n: 1 }, b: { n: 2 } })
    expect([...parking.dead.values()].map(({ seq }) => seq)).toEqual([2])
    expect(parking.waiting.map(({ key, seq }) => [key, seq])).toEqual([
      ['a', 3],
      ['a', 4],
    ])
    expect(await world.store.checkpoints.get('thing-list@1')).toBe(6)
  })

  test('goes on from what was missed when a later event is released, and passes over what was skipped', async () => {
    const world = await createWorld()
    const parking = createParking()
    const projector = project(world, { parking })
    await world.append(say('a', 'add'), say('a', 'broken'), say('a', 'add'), say('a', 'add'))
    await drain(projector)
    const { log } = world.store
    const { generations, runtime } = world
    const live = createLive({ projection: projector.projection, generations, log, parking, runtime })
    const last = parking.waiting.slice(-1)

    const still = await live(last)
    expect(still.failed.map(({ event }) => event.seq)).toEqual([4])
    expect(still.failed[0]?.error).toMatchObject({
      message: expect.stringMatching(/waits for broken .* \(seq 2\).*this step is broken/),
    })

    for (const id of parking.dead.keys()) parking.skipped.add(id)
    expect(await live(last)).toMatchObject({ failed: [], behind: [], filled: 2 })
    expect(await world.rows(projector.projection)).toMatchObject({ a: { n: 3 } })
  })

  test('an operation on a row of another key is refused at the first such event, by name', async () => {
    const world = await createWorld()
    const parking = createParking()
    const failures: unknown[] = []
    const failed: typeof parking.failed = async (event, error) => {
      failures.push(error)
      await parking.failed(event, error)
    }
    const projector = project(world, { parking: { ...parking, failed } })
    await world.append(say('a', 'add'), say('b', 'add', { id: 'a' }), say('b', 'add'))
    await drain(projector)
    expect(failures).toMatchObject([
      { code: 'ROW_FOREIGN_KEY', message: expect.stringMatching(/View things: row "a" .* key "a".*key "b"/) },
    ])
    expect(await world.rows(projector.projection)).toMatchObject({ a: { n: 1 } })
    expect(parking.waiting.map(({ key, seq }) => [key, seq])).toEqual([['b', 2]])
  })
})

test('a row that its store refuses for good parks its key, and the rest of the batch goes on', async () => {
  const world = await createWorld()
  const projection = thingsProjection()
  const { table } = await world.generations.look(projection.view)
  const save = table.save.bind(table)
  table.save = async (rows) => {
    const large = rows.find(({ data }) => Number(data?.n) >= 99)
    if (large) throw permanent(`row ${large.id} is too large`)
    return save(rows)
  }
  const parking = createParking()
  const projector = project(world, { projection, parking })
  const puts = [1, 2, 99, 4, 5].map((n): Said => ({ key: `k${n}`, type: 'put', data: { id: `k${n}`, n } }))
  await world.append(...puts, { key: 'k99', type: 'add', data: { id: 'k99', n: 1 } })
  await drain(projector)
  expect(Object.keys(await world.rows(projection)).sort()).toEqual(['k1', 'k2', 'k4', 'k5'])
  expect([...parking.dead.values()].map(({ key, seq }) => [key, seq])).toEqual([['k99', 1]])
  expect(parking.waiting.map(({ key, seq }) => [key, seq])).toEqual([['k99', 2]])
  expect(await world.store.checkpoints.get('thing-list@1')).toBe(6)
})

test('a row that an event of another key has made meanwhile is refused to this one, by name', async () => {
  let meanwhile: (() => Promise<void>) | undefined
  const reach: Runtime['reach'] = async (point) => {
    const work = point === 'projection.loaded' ? meanwhile : undefined
    if (!work) return
    meanwhile = undefined
    await work()
  }
  const world = await createWorld([], { reach })
  const projection = thingsProjection()
  const { table } = await world.generations.look(projection.view)
  const applier = () => createApplier({ projection, table, log: world.store.log, runtime: world.runtime })
  await world.append(
    say('a', 'put', { id: 'shared', n: 1 }),
    say('b', 'silent'),
    say('b', 'put', { id: 'shared', n: 2 }),
  )
  const [first, ...rest] = await world.events()
  meanwhile = async () => void (await applier().apply(first ? [first] : []))
  const { failed } = await applier().apply(rest)
  expect(failed).toMatchObject([{ error: { code: 'ROW_FOREIGN_KEY' } }])
  expect(await world.rows(projection, table)).toEqual({ shared: { id: 'shared', n: 1 } })
})

describe('a failing event of a gathering projection', () => {
  const gathering = thingsProjection({ gathering: true })
  const fast = { retries: 1, delay: 0, jitter: 0 }

  test('stops it there, is recorded once, and passes when its cause is removed', async () => {
    const world = await createWorld()
    const parking = createParking()
    const projector = project(world, { projection: gathering, parking, retry: fast })
    await world.append(say('a', 'add'), say('b', 'broken'), say('a', 'add'))
    await projector.step()
    expect(parking.dead.size).toBe(0)
    await projector.step()
    expect(parking.dead.size).toBe(1)
    expect(projector.standing).toMatchObject({
      type: 'broken',
      position: 2,
      reason: 'this step is broken',
      attempts: 2,
    })
    expect(await world.store.checkpoints.get('thing-list@1')).toBe(1)
    expect(await projector.step()).toBe(false)
    await expect(projector.retry(2)).rejects.toThrow('this step is broken')
    broken.now = false
    await projector.retry(2)
    await drain(projector)
    expect(projector.standing).toBeUndefined()
    expect(await world.rows(gathering)).toMatchObject({ a: { n: 2 }, b: { n: -1 } })
    expect(parking.waiting).toEqual([])
  })

  test('is passed over once a person has skipped it', async () => {
    const world = await createWorld()
    const parking = createParking()
    const projector = project(world, { projection: gathering, parking, retry: { ...fast, retries: 0 } })
    await world.append(say('a', 'add'), say('b', 'broken'), say('a', 'add'))
    await projector.step()
    for (const id of parking.dead.keys()) parking.skipped.add(id)
    await projector.retry(3)
    expect(await world.rows(gathering)).toEqual({ a: { id: 'a', n: 2 } })
  })
})

describe('the loop of a projector', () => {
  test('starts, is woken, stops, twice', async () => {
    const world = await createWorld()
    let told: () => void = () => {}
    const projector = project(world, { idle: 60_000, onProjected: () => told() })
    projector.start()
    projector.start()
    for (let n = 1; n <= 3; n += 1) {
      await world.append(say('a', 'add'))
      await new Promise<void>((resolve) => {
        told = resolve
        projector.wake()
      })
    }
    expect(await world.rows(projector.projection)).toMatchObject({ a: { n: 3 } })
    await projector.stop()
    await projector.stop()
  })

  test('is not woken by a commit when it follows some seconds behind', async () => {
    const world = await createWorld()
    const looks = async (feed: 'log' | { readonly channel: string }) => {
      const projector = project(world, { projection: thingsProjection({ feed }), apart: true, idle: 60_000 })
      const get = vi.spyOn(world.store.checkpoints, 'get')
      projector.start()
      await vi.waitFor(() => expect(get).toHaveBeenCalledTimes(1))
      for (let n = 0; n < 3; n += 1) {
        projector.wake()
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      await projector.stop()
      const { length } = get.mock.calls
      get.mockRestore()
      return length
    }
    expect(await looks({ channel: 'things' })).toBe(1)
    expect(await looks('log')).toBe(4)
  })

  test('passes over events that it does not handle', async () => {
    const world = await createWorld()
    const projector = project(world)
    await world.append(say('a', 'foreign'), say('a', 'foreign'))
    await drain(projector)
    expect(await world.store.checkpoints.get('thing-list@1')).toBe(2)
  })
})
