import type { OpenStore, SqlConnection } from 'obverse'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../processes.ts'
import { arrival, fact, makeNotes, note, notes, openStore, unit } from './store.ts'

const folder = temporaryFolder('turn')
afterAll(folder.remove)

let files = 0
let store: OpenStore
beforeEach(async () => {
  files += 1
  store = await openStore(`${folder.path}/${files}.db`, { turnLimit: 150 })
  await makeNotes(store)
  return () => store.close()
})

const never = new Promise<void>(() => {})

describe('the turn of a handler', () => {
  it('is taken away from one that awaits something slow, by name; the others of its group go on', async () => {
    let kept: SqlConnection | undefined
    let aborted: AbortSignal | undefined
    const slow = store.transactions.transact({ name: 'orders.slow' }, async (tx) => {
      kept = tx.connection()
      aborted = tx.signal
      await note(kept, 'slow')
      await never
      return unit()
    })
    const quick = store.transactions.transact({ name: 'orders.quick' }, async (tx) => {
      await note(tx.connection(), 'quick')
      return unit([fact('q')])
    })
    await expect(slow).rejects.toMatchObject({
      code: 'HANDLER_TOO_SLOW',
      message: expect.stringMatching(/orders\.slow.*150 ms/),
    })
    await quick
    expect(await notes(store)).toEqual(['quick'])
    expect(aborted?.aborted).toBe(true)
    await expect(kept?.execute('SELECT 1', [])).rejects.toMatchObject({ code: 'TURN_OVER' })
  })

  it('does not begin before the first statement, so slow work before it costs nobody anything', async () => {
    const outcome = store.transactions.transact({ name: 'h' }, async (tx) => {
      await new Promise((resolve) => setTimeout(resolve, 300))
      await note(tx.connection(), 'late')
      return unit()
    })
    await store.transactions.commit({ name: 'other' }, unit([fact('k')]))
    expect(await outcome).toMatchObject({ kind: 'committed' })
    expect(await notes(store)).toEqual(['late'])
  })

  it('is over when the handler has ended', async () => {
    let kept: SqlConnection | undefined
    await store.transactions.transact({ name: 'h' }, async (tx) => {
      kept = tx.connection()
      await note(kept, 'in time')
      return unit()
    })
    await expect(kept?.execute('SELECT 1', [])).rejects.toMatchObject({ code: 'TURN_OVER' })
    let unused: SqlConnection | undefined
    await store.transactions.transact({ name: 'h' }, async (tx) => {
      unused = tx.connection()
      return unit()
    })
    await expect(unused?.execute('SELECT 1', [])).rejects.toMatchObject({ code: 'TURN_OVER' })
  })

  it('takes statements that were made at once, in their order', async () => {
    await store.transactions.transact({ name: 'h' }, async (tx) => {
      const c = tx.connection()
      await Promise.all(['a', 'b', 'c'].map((text) => note(c, text)))
      return unit()
    })
    expect(await notes(store)).toEqual(['a', 'b', 'c'])
  })

  it('keeps nothing of a handler that throws, and throws the same', async () => {
    const mine = new Error('mine')
    const thrown = store.transactions.transact({ name: 'h' }, async (tx) => {
      await note(tx.connection(), 'gone')
      throw mine
    })
    await expect(thrown).rejects.toBe(mine)
    expect(await notes(store)).toEqual([])
  })

  it('lets a handler go on after a statement of its own failed', async () => {
    await store.transactions.transact({ name: 'h' }, async (tx) => {
      const c = tx.connection()
      await note(c, 'once')
      await note(c, 'once').catch(() => note(c, 'twice'))
      return unit()
    })
    expect(await notes(store)).toEqual(['once', 'twice'])
  })

  it.each([
    'BEGIN',
    ' commit',
    '/* now */ ROLLBACK',
    '-- x\nSAVEPOINT a',
    'PRAGMA foreign_keys = OFF',
    "ATTACH 'x' AS y",
    ';END',
  ])('refuses %j', async (sql) => {
    const refused = store.transactions.transact({ name: 'h' }, async (tx) => {
      await note(tx.connection(), 'before')
      await tx.connection().execute(sql, [])
      return unit()
    })
    await expect(refused).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
    expect(await notes(store)).toEqual([])
  })

  it('refuses to end the transaction behind a harmless statement', async () => {
    const refused = store.transactions.transact({ name: 'h' }, async (tx) => {
      await tx.connection().execute("INSERT INTO note (text) VALUES ('a;b'); COMMIT", [])
      return unit()
    })
    await expect(refused).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
    expect(await notes(store)).toEqual([])
  })

  it('fails alone, loudly, when a statement of its own rolled everything back', async () => {
    const innocent = store.transactions.commit({ name: 'innocent' }, unit([fact('k')]))
    const guilty = store.transactions.transact({ name: 'guilty' }, async (tx) => {
      await note(tx.connection(), 'same')
      await tx.connection().execute("INSERT OR ROLLBACK INTO note (text) VALUES ('same')", [])
      return unit()
    })
    const later = store.transactions.transact({ name: 'later' }, async (tx) => {
      await note(tx.connection(), 'later')
      return unit([fact('k')])
    })
    const ended = await Promise.allSettled([innocent, guilty, later])
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(ended[1]).toMatchObject({
      reason: { code: 'CONFIGURATION_INVALID', message: expect.stringContaining('INSERT OR ROLLBACK') },
    })
    expect(await store.log.head()).toBe(2)
    expect(await notes(store)).toEqual(['later'])
  })

  it('keeps nothing of a handler that has caught the error of what rolled everything back', async () => {
    const refused: unknown[] = []
    const guilty = store.transactions.transact({ name: 'guilty' }, async (tx) => {
      const c = tx.connection()
      await note(c, 'same')
      await c.execute("INSERT OR ROLLBACK INTO note (text) VALUES ('same')", []).catch((error) => refused.push(error))
      await note(c, 'after it').catch((error) => refused.push(error))
      await c.execute('SELECT 1', []).catch((error) => refused.push(error))
      return unit([fact('half')])
    })
    await expect(guilty).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
    expect(refused).toHaveLength(3)
    expect(new Set(refused).size).toBe(1)
    expect(await store.log.head()).toBe(0)
    expect(await notes(store)).toEqual([])
    expect((await store.events.load('half')).version).toBe(0)
  })

  it('records no migration that has caught such an error', async () => {
    const step = {
      name: 'half',
      up: async (c: SqlConnection) => {
        await c.execute("INSERT INTO note (text) VALUES ('x')", [])
        await c.execute("INSERT OR ROLLBACK INTO note (text) VALUES ('x')", []).catch(() => {})
        await c.execute("INSERT INTO note (text) VALUES ('y')", []).catch(() => {})
      },
    }
    await expect(store.schema.migrate([step])).rejects.toMatchObject({ code: 'MIGRATION_FAILED' })
    expect(await store.schema.pending([step])).toEqual(['half'])
    expect(await notes(store)).toEqual([])
  })

  it('never comes for a message that was handled before: the handler is unwound at its first statement', async () => {
    const delivery = arrival('k')
    await store.transactions.commit({ name: 'h', delivery }, unit())
    let reached = false
    const outcome = await store.transactions.transact({ name: 'h', delivery }, async (tx) => {
      await note(tx.connection(), 'again')
      reached = true
      return unit()
    })
    expect(outcome).toEqual({ kind: 'duplicate' })
    expect(reached).toBe(false)
    expect(await notes(store)).toEqual([])
  })

  it('keeps the claim and the answer of a refusal, and nothing of the work', async () => {
    const claim = { principal: 'p', command: 'c', key: '1', fingerprint: 'f' }
    const answer = { outcome: 'refused', body: '{"code":"REFUSED"}', token: '' } as const
    const no = new Error('no')
    const run = () =>
      store.transactions.transact({ name: 'h', claim, refusal: (e) => (e === no ? answer : undefined) }, async (tx) => {
        await note(tx.connection(), 'refused')
        throw no
      })
    await expect(run()).rejects.toBe(no)
    expect(await run()).toEqual({ kind: 'replayed', answer })
    expect(await notes(store)).toEqual([])
  })
})
