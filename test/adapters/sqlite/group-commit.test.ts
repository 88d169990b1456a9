import { afterAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../processes.ts'
import { countingRuntime, fact, makeNotes, note, notes, openStore, unit } from './store.ts'

const folder = temporaryFolder('group')
afterAll(folder.remove)
const ENTRY = { name: 'test' }

describe('a group', () => {
  it('shares one commit among all who wait', async () => {
    const runtime = countingRuntime()
    const store = await openStore(`${folder.path}/shared.db`, { runtime })
    runtime.commits = 0
    await Promise.all(Array.from({ length: 64 }, (_, n) => store.transactions.commit(ENTRY, unit([fact(`k${n}`)]))))
    expect(runtime.commits).toBe(1)
    expect(await store.log.head()).toBe(64)
    await store.close()
  })

  it('shares commits among callers that come again and again', async () => {
    const runtime = countingRuntime()
    const store = await openStore(`${folder.path}/again.db`, { runtime })
    runtime.commits = 0
    const caller = async (n: number) => {
      for (let i = 0; i < 10; i += 1) await store.transactions.commit(ENTRY, unit([fact(`k${n}`)]))
    }
    await Promise.all(Array.from({ length: 32 }, (_, n) => caller(n)))
    expect(await store.log.head()).toBe(320)
    expect(runtime.commits).toBeLessThanOrEqual(20)
    await store.close()
  })

  it('lets one member fail alone, and leaves no gap where it was', async () => {
    const runtime = countingRuntime()
    const store = await openStore(`${folder.path}/alone.db`, { runtime })
    runtime.commits = 0
    const bad = unit([fact('b')], { expected: new Map([['b', 7]]) })
    const ended = await Promise.allSettled([
      store.transactions.commit(ENTRY, unit([fact('a')])),
      store.transactions.commit(ENTRY, unit([fact('x'), { ...fact('y'), data: null as never }])),
      store.transactions.commit(ENTRY, bad),
      store.transactions.commit(ENTRY, unit([fact('c')])),
    ])
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    expect(ended[2]).toMatchObject({ reason: { code: 'CONFLICT' } })
    const { events } = await store.log.after(0, 10)
    expect(events.map(({ key, position }) => [key, position])).toEqual([
      ['a', 1],
      ['c', 2],
    ])
    expect(runtime.commits).toBe(1)
    await store.close()
  })

  it('fails as a whole when its commit fails, and the next one goes on', async () => {
    let failing = false
    const down = new Error('the disk is gone')
    const runtime = {
      ...countingRuntime(),
      reach: (point: string) => {
        if (failing && point === 'commit.before') throw down
      },
    }
    const store = await openStore(`${folder.path}/whole.db`, { runtime })
    failing = true
    const ended = await Promise.allSettled([
      store.transactions.commit(ENTRY, unit([fact('a')])),
      store.transactions.commit(ENTRY, unit([fact('b')])),
    ])
    expect(ended).toEqual([
      { status: 'rejected', reason: down },
      { status: 'rejected', reason: down },
    ])
    failing = false
    expect(await store.log.head()).toBe(0)
    await store.transactions.commit(ENTRY, unit([fact('c')]))
    expect(await store.log.head()).toBe(1)
    await store.close()
  })

  it('lets a member whose commit is refused fail alone, with its own error', async () => {
    const store = await openStore(`${folder.path}/deferred.db`)
    await makeNotes(store)
    const child = 'CREATE TABLE child (note INTEGER REFERENCES note (id) DEFERRABLE INITIALLY DEFERRED) STRICT'
    await store.schema.migrate([{ name: 'child', up: async (c) => void (await c.execute(child, [])) }])
    const ran: Record<string, number> = {}
    const innocent = (text: string) =>
      store.transactions.transact(ENTRY, async (tx) => {
        ran[text] = (ran[text] ?? 0) + 1
        await note(tx.connection(), text)
        return unit([fact(text)])
      })
    const guilty = () =>
      store.transactions.transact(ENTRY, async (tx) => {
        await tx.connection().execute('INSERT INTO child (note) VALUES (99)', [])
        return unit([fact('guilty')])
      })
    const ended = await Promise.allSettled([
      store.transactions.commit(ENTRY, unit([fact('s1')])),
      innocent('a'),
      guilty(),
      store.transactions.decide(ENTRY, { key: 's2', types: [] }, () => unit([fact('s2')])),
      innocent('b'),
    ])
    // which of the handlers it was cannot be known; what is synchronous is run again
    expect(ended.map((one) => (one.status === 'fulfilled' ? 'kept' : one.reason.code))).toEqual([
      'kept',
      'CONFLICT',
      'CONFLICT',
      'kept',
      'CONFLICT',
    ])
    const again = await Promise.allSettled([innocent('a'), guilty(), innocent('b'), guilty()])
    expect(again.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected'])
    expect(again[1]).toMatchObject({ reason: { message: 'FOREIGN KEY constraint failed' } })
    expect(ran).toEqual({ a: 2, b: 2 })
    expect(await notes(store)).toEqual(['a', 'b'])
    const { events } = await store.log.after(0, 10)
    expect(events.map(({ key }) => key)).toEqual(['s1', 's2', 'a', 'b'])
    await store.close()
  })

  it('holds handlers with tables too, one after another', async () => {
    const runtime = countingRuntime()
    const store = await openStore(`${folder.path}/tables.db`, { runtime })
    await makeNotes(store)
    runtime.commits = 0
    const handler = (text: string) =>
      store.transactions.transact(ENTRY, async (tx) => {
        const c = tx.connection()
        const { rows } = await c.execute('SELECT count(*) AS n FROM note', [])
        await note(c, `${text} after ${rows[0]?.n}`)
        await note(c, `${text} again`)
        return unit([fact(text)])
      })
    const ended = await Promise.allSettled([handler('a'), handler('b'), handler('a'), handler('c')])
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(await notes(store)).toEqual(['a after 0', 'a again', 'b after 2', 'b again', 'c after 4', 'c again'])
    expect(await store.log.head()).toBe(3)
    expect(runtime.commits).toBe(2) // the group's, and that of the look at the notes
    await store.close()
  })

  it('gives positions without a gap, never one twice, even when the highest events were taken away', async () => {
    const file = `${folder.path}/positions.db`
    const store = await openStore(file)
    await store.transactions.commit(ENTRY, unit([fact('a'), fact('a'), fact('a')]))
    await store.transactions.transact(ENTRY, async (tx) => {
      await tx.connection().execute('DELETE FROM obverse_event WHERE position >= 2', [])
      return unit()
    })
    const outcome = await store.transactions.commit(ENTRY, unit([fact('a')]))
    expect(outcome).toMatchObject({ events: [{ position: 4, seq: 4 }] })
    await store.close()
  })
})
