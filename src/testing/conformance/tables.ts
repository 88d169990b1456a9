import assert from 'node:assert/strict'
import { isObverseError, type Migration, type OpenStore } from 'obverse'
import type { Case } from './case.ts'
import { arrival, fact } from './messages.ts'
import type { StoreSubject } from './store-subject.ts'
import { append, ENTRY, unit } from './units.ts'

const steps: readonly Migration[] = [
  {
    name: '001-things',
    async up(connection) {
      await connection.execute('CREATE TABLE things (id VARCHAR(50) PRIMARY KEY, n INTEGER NOT NULL)', [])
    },
  },
]

async function things(store: OpenStore): Promise<readonly (readonly [unknown, number])[]> {
  const found: (readonly [unknown, number])[] = []
  await store.transactions.transact(ENTRY, async (tx) => {
    const { rows } = await tx.connection().execute('SELECT id, n FROM things ORDER BY id', [])
    found.push(...rows.map(({ id, n }) => [id, Number(n)] as const))
    return unit()
  })
  return found
}

async function withThings(subject: StoreSubject): Promise<OpenStore> {
  const store = await subject.open()
  await store.schema.migrate(steps)
  return store
}

/** As whoever runs handlers does. */
async function untilItHolds(run: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await run()
      return
    } catch (error) {
      if (!isObverseError(error, 'CONFLICT')) throw error
    }
  }
}

const insert = (id: string, n: number) => `INSERT INTO things (id, n) VALUES ('${id}', ${n})`

/** Contract of `Transactions.transact` with the application's own tables. */
export const tablesCases: readonly Case<StoreSubject>[] = [
  {
    name: 'a store without tables says so, and which stores have them',
    async run(subject) {
      const store = await subject.open()
      if (store.transactions.hasTables) return
      const using = store.transactions.transact(ENTRY, async (tx) => {
        await tx.connection().execute('SELECT 1', [])
        return unit()
      })
      await assert.rejects(
        using,
        (error) => isObverseError(error, 'CONFIGURATION_INVALID') && /sqlite/.test(error.message),
      )
    },
  },
  {
    name: 'a migration is applied once, and is pending until then',
    needs: ['tables'],
    async run(subject) {
      const store = await subject.open()
      assert.deepEqual(
        (await store.schema.pending(steps)).filter((name) => name.startsWith('001')),
        ['001-things'],
      )
      assert.ok((await store.schema.migrate(steps)).includes('001-things'))
      assert.deepEqual(await store.schema.migrate(steps), [])
      assert.deepEqual(await store.schema.pending(steps), [])
      assert.deepEqual(await things(store), [])
    },
  },
  {
    name: 'a migration that throws keeps nothing of its step',
    needs: ['tables'],
    async run(subject) {
      const store = await subject.open()
      const broken: Migration = {
        name: '002-broken',
        async up(connection) {
          await connection.execute(insert('x', 1), [])
          throw new Error('half way')
        },
      }
      await assert.rejects(store.schema.migrate([...steps, broken]), (e) => isObverseError(e, 'MIGRATION_FAILED'))
      assert.deepEqual(await store.schema.pending([...steps, broken]), ['002-broken'])
      assert.deepEqual(await things(store), [])
    },
  },
  {
    name: 'rows of tables and events commit together',
    needs: ['tables'],
    async run(subject) {
      const store = await withThings(subject)
      await store.transactions.transact(ENTRY, async (tx) => {
        const { changes } = await tx.connection().execute(insert('a', 1), [])
        assert.equal(Number(changes), 1)
        return unit([fact('a')])
      })
      assert.deepEqual([await things(store), (await store.events.load('a')).version], [[['a', 1]], 1])
    },
  },
  {
    name: 'a work that throws after writing keeps neither rows nor events',
    needs: ['tables'],
    async run(subject) {
      const store = await withThings(subject)
      const failing = store.transactions.transact(ENTRY, async (tx) => {
        await tx.connection().execute(insert('a', 1), [])
        throw new Error('changed my mind')
      })
      await assert.rejects(failing, /changed my mind/)
      const stale = store.transactions.transact(ENTRY, async (tx) => {
        await tx.connection().execute(insert('b', 1), [])
        return unit([fact('b')], [], { expected: new Map([['b', 9]]) })
      })
      await assert.rejects(stale, (error) => isObverseError(error, 'CONFLICT'))
      assert.deepEqual([await things(store), await store.log.head()], [[], 0])
    },
  },
  {
    name: 'a statement that fails can be caught; the work goes on',
    needs: ['tables'],
    async run(subject) {
      const store = await withThings(subject)
      await store.transactions.transact(ENTRY, async (tx) => {
        const connection = tx.connection()
        await connection.execute(insert('a', 1), [])
        return unit([fact('a')])
      })
      const second = store.transactions.transact(ENTRY, async (tx) => {
        await tx.connection().execute(insert('a', 2), [])
        return unit([fact('a')])
      })
      await assert.rejects(second)
      assert.deepEqual([await things(store), (await store.events.load('a')).version], [[['a', 1]], 1])
    },
  },
  {
    name: 'of statements that are started at once, one that fails takes back itself alone',
    needs: ['tables'],
    async run(subject) {
      const store = await withThings(subject)
      await store.transactions.transact(ENTRY, async (tx) => {
        const connection = tx.connection()
        await connection.execute(insert('a', 1), [])
        const ids = ['b', 'a', 'c', 'a', 'd']
        const ended = await Promise.allSettled(ids.map((id) => connection.execute(insert(id, 2), [])))
        assert.deepEqual(
          ended.map(({ status }) => status),
          ids.map((id) => (id === 'a' ? 'rejected' : 'fulfilled')),
        )
        return unit([fact('a')])
      })
      assert.deepEqual(
        (await things(store)).map(([id]) => id),
        ['a', 'b', 'c', 'd'],
      )
    },
  },
  {
    name: 'handlers that use tables lose no update: they take turns, or are told of the conflict and run again',
    needs: ['tables'],
    async run(subject) {
      const [one, two] = [await withThings(subject), await subject.open()]
      await one.transactions.transact(ENTRY, async (tx) => {
        await tx.connection().execute(insert('a', 0), [])
        return unit()
      })
      await Promise.all(
        Array.from({ length: 40 }, (_, n) =>
          untilItHolds(() =>
            (n % 2 ? one : two).transactions.transact(ENTRY, async (tx) => {
              const connection = tx.connection()
              const { rows } = await connection.execute("SELECT n FROM things WHERE id = 'a'", [])
              await connection.execute(`UPDATE things SET n = ${Number(rows[0]?.n) + 1} WHERE id = 'a'`, [])
              return unit([fact('a')])
            }),
          ),
        ),
      )
      assert.deepEqual([await things(one), (await one.events.load('a')).version], [[['a', 40]], 40])
    },
  },
  {
    name: 'a duplicate is found before the work has written anything',
    needs: ['tables'],
    async run(subject) {
      const store = await withThings(subject)
      const delivery = arrival('k')
      await store.transactions.commit({ ...ENTRY, delivery }, unit())
      const outcome = await store.transactions.transact({ ...ENTRY, delivery }, async (tx) => {
        await tx.connection().execute(insert('a', 1), [])
        return unit([fact('a')])
      })
      assert.deepEqual(outcome, { kind: 'duplicate' })
      assert.deepEqual([await things(store), await store.log.head()], [[], 0])
    },
  },
  {
    name: 'a connection that outlives its turn is refused',
    needs: ['tables'],
    async run(subject) {
      const store = await withThings(subject)
      let kept: { execute(sql: string, parameters: readonly unknown[]): Promise<unknown> } | undefined
      await store.transactions.transact(ENTRY, async (tx) => {
        kept = tx.connection()
        await kept.execute(insert('a', 1), [])
        return unit()
      })
      await assert.rejects(
        async () => kept?.execute(insert('b', 1), []),
        (error) => isObverseError(error, 'TURN_OVER'),
      )
      assert.deepEqual(await things(store), [['a', 1]])
    },
  },
  {
    name: 'reset empties everything, application tables too, and they can be made again',
    needs: ['tables'],
    async run(subject) {
      const store = await withThings(subject)
      await store.transactions.transact(ENTRY, async (tx) => {
        await tx.connection().execute(insert('a', 1), [])
        return unit([fact('a')])
      })
      await store.schema.reset()
      await store.schema.migrate(steps)
      assert.deepEqual([await things(store), await store.log.head()], [[], 0])
    },
  },
  {
    name: 'reset empties log, queues, held rows and views',
    async run(subject) {
      const store = await subject.open()
      const shape = { name: 'v', key: 'id', lookups: [] }
      await append(store, fact('a', 1, { channels: ['work'] }))
      await store.held.hold(arrival('k'), { attempts: 1, code: 'E', reason: '', detail: '' })
      await (await store.views.open(shape, 1)).save([{ id: 'a', key: 'a', mark: 1, data: { id: 'a' } }])
      await store.checkpoints.advance('p', 0, 4)
      await store.schema.reset()
      await store.schema.migrate([])
      assert.equal(await store.log.head(), 0)
      assert.deepEqual(await store.events.load('a'), { version: 0, events: [] })
      assert.deepEqual(await store.broker.peek('work', 10), [])
      assert.deepEqual(await store.held.counts(), [])
      assert.equal(await store.checkpoints.get('p'), 0)
      assert.equal(await (await store.views.open(shape, 1)).count(), 0)
      assert.equal((await append(store, fact('a')))[0]?.seq, 1)
    },
  },
]
