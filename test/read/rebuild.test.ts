import { isDeepStrictEqual } from 'node:util'
import { type FaultPoint, type Protection, type Runtime, systemRuntime } from 'obverse'
import { afterEach, describe, expect, test } from 'vitest'
import { createInlineProjector } from '../../src/read/inline.ts'
import { createLive } from '../../src/read/live.ts'
import { createProjector, type ProjectorOptions } from '../../src/read/projector.ts'
import { type RebuildContext, rebuild, switchTo } from '../../src/read/rebuild.ts'
import { verify } from '../../src/read/verify.ts'
import type { ViewTable } from '../../src/read/view.ts'
import {
  broken,
  createParking,
  createWorld,
  newEvent,
  type Said,
  things,
  thingsProjection,
  type World,
} from './world.ts'

const say = (key: string, type: string, more: Record<string, unknown> = {}): Said => ({
  key,
  type,
  data: { id: key, n: 1, make: true, text: 'x', ...more },
})
const mixed = (count: number): Said[] =>
  Array.from({ length: count }, (_, n) =>
    say(`k${n % 5}`, ['add', 'label', 'foreign', 'add', 'silent', 'gone', 'add'][n % 7] as string, {
      id: `k${n % 5}${n % 3 === 0 ? ':more' : ''}`,
      n,
    }),
  )

function contextOf(world: World, more: Partial<RebuildContext> = {}): RebuildContext & ProjectorOptions {
  const { checkpoints, log } = world.store
  return {
    projection: thingsProjection(),
    generations: world.generations,
    checkpoints,
    log,
    parking: createParking(),
    runtime: world.runtime,
    batch: 4,
    ...more,
  } as RebuildContext & ProjectorOptions
}

async function drain({ step }: { step(): Promise<boolean> }): Promise<void> {
  while (await step());
}

afterEach(() => {
  broken.now = true
})

describe.each([{ gathering: false }, { gathering: true }])('a rebuild, gathering $gathering', ({ gathering }) => {
  const projection = thingsProjection({ gathering })

  test.each<{ point: FaultPoint; nth: number }>(
    (['projection.loaded', 'projection.saved', 'rebuild.batch', 'rebuild.switched'] as const).flatMap((point) =>
      [1, 2, 5].map((nth) => ({ point, nth })),
    ),
  )('killed at $point, time $nth, is taken up again and equals the live rows', async ({ point, nth }) => {
    let left = 0
    const reach: Runtime['reach'] = (at) => {
      if (at !== point || left === 0) return
      left -= 1
      if (left === 0) throw new Error('killed')
    }
    const world = await createWorld([], { reach })
    const context = contextOf(world, { projection })
    const projector = createProjector(context)
    await world.append(...mixed(30))
    await drain(projector)
    const before = await world.rows(projection)

    left = nth
    const first = await rebuild(context).catch((error: Error) => error.message)
    left = 0
    expect(await world.rows(projection)).toEqual(before)
    await world.append(...mixed(9))
    const again = await rebuild(context)
    expect(again.switched).toBe(true)
    const handled = (await world.events()).filter(({ type }) => projection.types.has(type)).length
    if (first === 'killed' && point === 'rebuild.batch') expect(again.events).toBe(handled - 4 * (nth - 1))
    await drain(projector)
    expect(await world.rows(projection)).toEqual(await world.expected(projection))
    expect((await world.store.checkpoints.generation('things')).building).toBeUndefined()
  })

  test('into a store that loses everything meanwhile is whole all the same', async () => {
    const world = await createWorld()
    const { store, generations } = world
    const { name, key, lookups } = things
    let table = await store.views.open({ name, key, lookups }, 2)
    const lasting = {
      load: (ids) => table.load(ids),
      save: (rows) => table.save(rows),
      count: () => table.count(),
    } as ViewTable
    const built = { ...generations, table: async () => lasting, drop: async () => {} }
    const context = contextOf(world, { projection, generations: built, apart: true })
    await world.append(...mixed(40))
    let batches = 0
    const report = await rebuild(context, {
      noSwitch: true,
      async onProgress() {
        batches += 1
        if (batches !== 4) return
        store.checkpoints.remove(`${projection.name}@2`)
        store.views.drop({ name, key, lookups }, 2)
        table = (await store.views.open({ name, key, lookups }, 2)) as ViewTable
      },
    })
    expect(report.generation).toBe(2)
    expect(batches).toBeGreaterThan(10)
    expect(await world.rows(projection, table)).toEqual(await world.expected(projection))
  })

  test('while events are written and projected: every read is of a whole version, and the result is the fold', async () => {
    const world = await createWorld()
    const context = contextOf(world, { projection })
    const projector = createProjector(context)
    await world.append(...mixed(20))
    await drain(projector)
    let count = 0
    const report = await rebuild(context, {
      onProgress() {
        count += 1
        if (count < 6) void world.append(...mixed(3)).then(() => projector.step())
      },
    })
    expect(report).toMatchObject({ projection: 'thing-list', generation: 2, switched: true })
    await drain(projector)
    expect(await world.rows(projection)).toEqual(await world.expected(projection))
    const { generations, runtime, store } = world
    const verified = await verify({
      projection,
      generations,
      log: store.log,
      checkpoints: store.checkpoints,
      parking: context.parking,
      runtime,
    })
    expect(verified).toMatchObject({ different: [], missing: [], extra: [] })
    expect(await store.checkpoints.generation('things')).toEqual({ serving: 2, previous: 1 })
  })

  test('goes into another store', async () => {
    const world = await createWorld()
    const other = await createWorld()
    const context = contextOf(world, { projection })
    await world.append(...mixed(12))
    await rebuild(context, { into: other.store.views })
    const { table } = await world.generations.look(projection.view)
    expect(await world.rows(projection, table)).toEqual(await world.expected(projection))
    const there = await other.store.views.open({ name: 'things', key: 'id', lookups: things.lookups }, 2)
    expect(await there.count()).toBe(Object.keys(await world.expected(projection)).length)
  })

  test('without a switch serves nothing yet; the switch catches up first, and back again too', async () => {
    const world = await createWorld()
    const context = contextOf(world, { projection })
    const projector = createProjector(context)
    await world.append(...mixed(10))
    await drain(projector)
    expect(await rebuild(context, { noSwitch: true })).toMatchObject({ generation: 2, switched: false })
    expect(await world.store.checkpoints.generation('things')).toEqual({ serving: 1, building: 2 })
    await world.append(...mixed(10))
    await switchTo(context, 2)
    expect(await world.rows(projection)).toEqual(await world.expected(projection))
    await world.append(...mixed(5))
    await switchTo(context, 1)
    expect(await world.store.checkpoints.generation('things')).toEqual({ serving: 1, previous: 2 })
    expect(await world.rows(projection)).toEqual(await world.expected(projection))
    await expect(switchTo(context, 7)).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
  })
})

test.each<{ without: Protection[]; whole: boolean }>([
  { without: [], whole: true },
  { without: ['catch-up-first'], whole: false },
])('a switch comes after the log is caught up with (without $without: $whole)', async ({ without, whole }) => {
  const world = await createWorld(without)
  const projection = thingsProjection()
  await world.append(...mixed(30))
  await rebuild(contextOf(world))
  expect(isDeepStrictEqual(await world.rows(projection), await world.expected(projection))).toBe(whole)
})

test('one driver at a time; a dead one is relieved', async () => {
  let frozen = false
  // twenty times as fast, and a process that can be stopped
  const after: Runtime['after'] = (ms, work) => systemRuntime.after(ms / 20, () => frozen || work())
  const world = await createWorld()
  await world.append(...mixed(20))
  const parked = new Promise<never>(() => {})
  let hanging: () => void = () => {}
  const hangs = new Promise<void>((resolve) => {
    hanging = resolve
  })
  const reach: Runtime['reach'] = (point) => {
    if (point !== 'rebuild.batch') return
    hanging()
    return parked
  }
  void rebuild(contextOf(world, { runtime: { ...systemRuntime, after, reach } }))
  await hangs
  const others = { ...systemRuntime, after: ((ms, work) => systemRuntime.after(ms / 20, work)) as Runtime['after'] }
  await expect(rebuild(contextOf(world, { runtime: others }))).rejects.toMatchObject({ code: 'REBUILD_RUNNING' })
  frozen = true
  expect(await rebuild(contextOf(world, { runtime: others }))).toMatchObject({ generation: 2, switched: true })
  expect(await world.rows(thingsProjection())).toEqual(await world.expected(thingsProjection()))
})

test('a channel that writes into the generation before during the switch loses nothing', async () => {
  const world = await createWorld()
  const projection = thingsProjection({ feed: { channel: 'c' } })
  const context = contextOf(world, { projection })
  const { generations, runtime, store } = world
  const live = createLive({ projection, generations, log: store.log, parking: context.parking, runtime })
  await world.append(...mixed(10))
  await live(await world.events())
  const table = await generations.table(projection.view, 1)
  await rebuild(context)
  // a process that has not seen the switch: its pointer is old
  await world.append(...mixed(6))
  const stale = createLive({
    projection,
    generations: { ...generations, serving: async () => ({ generation: 1, table, pointer: { serving: 1 } }) },
    log: store.log,
    parking: context.parking,
    runtime,
  })
  await stale((await world.events()).slice(-6))
  expect(await world.rows(projection)).toEqual(await world.expected(projection))
})

test('the projector follows a view of another feed behind the switch, and then leaves it', async () => {
  const world = await createWorld()
  let now = 0
  const runtime = { ...world.runtime, elapsed: () => now }
  const projection = thingsProjection({ feed: 'inline' })
  const context = contextOf(world, { projection, runtime })
  const projector = createProjector(context)
  await world.append(...mixed(10))
  expect(await projector.step()).toBe(false)
  await rebuild(context)
  await world.append(...mixed(5))
  await drain(projector)
  expect(await world.rows(projection)).toEqual(await world.expected(projection))
  expect(await world.store.checkpoints.generation('things')).toMatchObject({ followTo: 10 })
  now = 5_000
  await world.append(...mixed(2))
  await drain(projector)
  expect(await world.rows(projection)).toEqual(await world.expected(projection))
  expect(await world.store.checkpoints.generation('things')).toEqual({ serving: 2, previous: 1 })
})

test('a key that is parked in the live view stands in the new one where it stood', async () => {
  const world = await createWorld()
  const context = contextOf(world)
  const projector = createProjector(context)
  await world.append(say('a', 'add'), say('a', 'broken'), say('a', 'add'), say('b', 'add'), say('a', 'add'))
  await drain(projector)
  await rebuild(context)
  expect(await world.rows(context.projection)).toEqual({ a: { id: 'a', n: 1 }, b: { id: 'b', n: 1 } })
})

test('a step that fails where no key is parked ends the rebuild, which goes on when it is corrected', async () => {
  const world = await createWorld()
  const context = contextOf(world)
  await world.append(...mixed(9), say('a', 'broken'), say('a', 'add'))
  await expect(rebuild(context)).rejects.toMatchObject({
    code: 'HANDLER_FAILED',
    message: expect.stringMatching(/Rebuild of thing-list stands at broken .*this step is broken/),
  })
  expect(await world.store.checkpoints.generation('things')).toEqual({ serving: 1, building: 2 })
  broken.now = false
  expect(await rebuild(context)).toMatchObject({ generation: 2, events: 2 })
  expect(await world.rows(context.projection)).toMatchObject({ a: { n: 0 } })
})

describe.each([{ gathering: false }, { gathering: true }])('an inline view, gathering $gathering', ({ gathering }) => {
  const projection = thingsProjection({ feed: 'inline', gathering })

  async function createInlineWorld() {
    const world = await createWorld()
    const { generations, store, runtime } = world
    await generations.look(projection.view)
    const inline = createInlineProjector({ projections: [projection], generations, log: store.log, runtime })
    return {
      world,
      async commit(...said: Said[]) {
        await inline.ready()
        const events = said.map((each) => newEvent(each))
        await store.transactions.commit({ name: 'test' }, { events, messages: [], project: inline.project })
      },
    }
  }

  test('shows what a commit wrote at once, several events of one unit too', async () => {
    const { world, commit } = await createInlineWorld()
    await commit(say('a', 'add'), say('a', 'foreign'), say('a', 'add'), say('b', 'put'))
    await commit(say('a', 'foreign'))
    await commit(say('a', 'add'), say('b', 'gone'))
    expect(await world.rows(projection)).toEqual({ a: { id: 'a', n: 3 } })
    await expect(commit(say('a', 'add'), say('c', 'broken'))).rejects.toThrow('this step is broken')
    expect(await world.rows(projection)).toEqual({ a: { id: 'a', n: 3 } })
    expect(await world.events()).toHaveLength(7)
  })

  test('brings in what was committed before the projection existed', async () => {
    const { world, commit } = await createInlineWorld()
    await world.append(say('a', 'add'), say('a', 'add'), say('b', 'foreign'))
    await commit(say('a', 'add'))
    expect(await world.rows(projection)).toEqual({ a: { id: 'a', n: 3 } })
  })

  test('has what was committed during the switch when the rebuild resolves', async () => {
    const { world, commit } = await createInlineWorld()
    const context = contextOf(world, { projection })
    for (const each of mixed(12)) await commit(each)
    const { checkpoints } = world.store
    let late = 0
    const setGeneration: typeof checkpoints.setGeneration = async (view, expected, next) => {
      // committed after the log was read to its end, and before the pointer moves
      if (next.serving === 2) for (late = 0; late < 5; late += 1) await commit(say('late', 'add'))
      return checkpoints.setGeneration(view, expected, next)
    }
    await rebuild({ ...context, checkpoints: { ...checkpoints, setGeneration } })
    expect(late).toBe(5)
    expect(await world.rows(projection)).toMatchObject({ late: { n: 5 } })
    expect(await world.rows(projection)).toEqual(await world.expected(projection))
  })

  test('is rebuilt while commits go on', async () => {
    const { world, commit } = await createInlineWorld()
    const context = contextOf(world, { projection })
    const projector = createProjector(context)
    for (const each of mixed(12)) await commit(each)
    const writing = (async () => {
      for (const each of mixed(40)) await commit(each)
    })()
    await rebuild(context)
    await writing
    await drain(projector)
    for (const each of mixed(7)) await commit(each)
    await drain(projector)
    expect(await world.rows(projection)).toEqual(await world.expected(projection))
  })
})

test('what is far behind is left to the projector by a commit that gathers inline', async () => {
  const world = await createWorld()
  const projection = thingsProjection({ feed: 'inline', gathering: true })
  const { generations, store, runtime } = world
  const inline = createInlineProjector({ projections: [projection], generations, log: store.log, runtime })
  const commit = (said: Said) =>
    store.transactions.commit({ name: 'test' }, { events: [newEvent(said)], messages: [], project: inline.project })
  await world.append(...Array.from({ length: 400 }, () => say('a', 'add')))
  await inline.ready()
  await commit(say('a', 'add'))
  expect(await world.rows(projection)).toEqual({})
  const projector = createProjector(contextOf(world, { projection }))
  await drain(projector)
  expect(await world.rows(projection)).toEqual({ a: { id: 'a', n: 401 } })
  await commit(say('a', 'add'))
  expect(await world.rows(projection)).toEqual({ a: { id: 'a', n: 402 } })
  await drain(projector)
  expect(await world.rows(projection)).toEqual({ a: { id: 'a', n: 402 } })
})

test('a row that nobody folded is found: changed, lost, made up', async () => {
  const world = await createWorld()
  const context = contextOf(world)
  await world.append(say('a', 'add'), say('b', 'add'), say('c', 'add'))
  await drain(createProjector(context))
  const { generations, store } = world
  const { table } = await generations.look(things)
  await table.save([
    { id: 'a', key: 'a', mark: 9, data: { id: 'a', n: 7 } },
    { id: 'b', key: 'b', mark: 9, data: null },
    { id: 'z', key: 'z', mark: 1, data: { id: 'z', n: 1 } },
    { id: 'y', key: 'y', mark: 1, data: { id: 'y', n: 1 } },
  ])
  // ten looks without waiting for them
  const runtime: Runtime = { ...systemRuntime, after: (_, work) => systemRuntime.after(0, work) }
  const { projection, parking } = context
  expect(
    await verify({ projection, generations, log: store.log, checkpoints: store.checkpoints, parking, runtime }),
  ).toEqual({
    projection: 'thing-list',
    rows: 4,
    different: ['a'],
    missing: ['b'],
    extra: ['y', 'z'],
  })
})

test('rows that a lost build has left under the number of the next one are not taken for done', async () => {
  const world = await createWorld()
  const projection = thingsProjection()
  await world.append(...mixed(6))
  const left = await world.generations.table(projection.view, 2)
  await left.save([{ id: 'stranger', key: 'k', mark: 1, data: { id: 'stranger', n: 1 } }])
  await rebuild(contextOf(world, { projection }))
  expect(await world.rows(projection)).toEqual(await world.expected(projection))
})
