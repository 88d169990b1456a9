import { memory } from 'obverse/memory'
import { describe, expect, it } from 'vitest'
import { World } from '../world.ts'

const good = (n: number) => ({
  id: `id-${n}`,
  type: 't.noted',
  kind: 'event',
  schemaVersion: 1,
  time: '2030-01-01T00:00:00.000Z',
  key: 'a',
  seq: n,
  data: { key: 'a', n },
})

describe('a message that is none', () => {
  it.each([
    ['MESSAGE_MALFORMED', 'not json', null],
    ['MESSAGE_MALFORMED', '[1]', null],
    ['MESSAGE_MALFORMED', JSON.stringify({ ...good(1), type: undefined }), null],
    ['MESSAGE_TYPE_UNKNOWN', JSON.stringify({ ...good(1), type: 'constructor' }), 'constructor'],
    ['MESSAGE_VERSION_UNKNOWN', JSON.stringify({ ...good(1), schemaVersion: 9 }), 't.noted'],
    ['MESSAGE_MALFORMED', JSON.stringify({ ...good(1), kind: 'command' }), 't.noted'],
  ])('is a dead letter at once, bytes and all, and the next one is handled: %s', async (code, body, type) => {
    const world = await World.open()
    const done: number[] = []
    world.handler('main', ({ n }) => done.push(n))
    await world.broker.put('main', body)
    await world.broker.put('main', JSON.stringify(good(2)))
    expect(await world.consumer().step()).toBe(2)
    expect(done).toEqual([2])
    expect(await world.store.deadLetters.list()).toMatchObject([{ code, body, type, handler: null, behind: 0 }])
    expect(world.seen('dead')).toMatchObject([{ code, channel: 'main' }])
    expect(await world.broker.stats()).toMatchObject([{ messages: 0 }])
    await world.close()
  })

  it('is kept when it is known and nobody here takes it, and taken back by a process where somebody does', async () => {
    const store = memory()
    const older = await World.open({ store })
    older.handler('main', () => {})
    const body = JSON.stringify({ ...good(1), type: 't.other' })
    await older.broker.put('main', body)
    expect(await older.consumer().step()).toBe(1)
    expect(await older.store.deadLetters.list()).toMatchObject([
      { code: 'MESSAGE_TYPE_UNKNOWN', type: 't.other', handler: null, key: null, body },
    ])
    expect((await older.store.deadLetters.list())[0]?.reason).toMatch(/Nothing on channel main takes t\.other here/)
    expect(await older.broker.stats()).toMatchObject([{ messages: 0 }])
    // it knows the type too: that is not enough
    await older.relay().step()
    expect(await older.store.deadLetters.list()).toHaveLength(1)

    const newer = await World.open({ store })
    const elsewhere: number[] = []
    newer.handler('elsewhere', ({ n }) => elsewhere.push(n), { channel: 'side', types: ['t.other'] })
    await newer.relay().step()
    expect(await newer.store.deadLetters.list()).toHaveLength(1)
    const done: number[] = []
    newer.handler('other', ({ n }) => done.push(n), { types: ['t.other'] })
    await newer.relay().step()
    expect(await newer.consumer().step()).toBe(1)
    expect([done, elsewhere]).toEqual([[1], []])
    expect(await newer.store.deadLetters.list()).toEqual([])
    await newer.close()
    await older.close()
  })
})
