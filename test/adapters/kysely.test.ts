import type { Generated } from 'kysely'
import type { SqlConnection, SqlResult } from 'obverse'
import { bind, tables } from 'obverse/kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../processes.ts'
import { openStore, unit } from './sqlite/store.ts'

interface Tables {
  author: { id: Generated<number>; name: string; active: boolean | number }
}

const folder = temporaryFolder('kysely')
let store: Awaited<ReturnType<typeof openStore>>
beforeAll(async () => {
  store = await openStore(`${folder.path}/kysely.db`)
  await store.schema.migrate([
    {
      name: '001-authors',
      up: async (connection) => {
        const { schema } = bind<Tables>(connection)
        await schema
          .createTable('author')
          .addColumn('id', 'integer', (c) => c.primaryKey())
          .addColumn('name', 'text', (c) => c.notNull().unique())
          .addColumn('active', 'integer', (c) => c.notNull())
          .execute()
        await schema.createIndex('author_active').on('author').column('active').execute()
      },
    },
  ])
})
afterAll(async () => {
  await store.close()
  folder.remove()
})

const within = <T>(work: (db: ReturnType<typeof bind<Tables>>) => Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    store.transactions
      .transact({ name: 'h' }, async (tx) => {
        resolve(await work(tables<Tables>().bind(tx.connection())))
        return unit()
      })
      .catch(reject)
  })

describe('tables() on a transaction', () => {
  it('inserts, selects, updates and deletes, and says how many', async () => {
    await within(async (db) => {
      const inserted = await db.insertInto('author').values({ name: 'Ada', active: true }).executeTakeFirstOrThrow()
      expect(inserted.insertId).toBe(1n)
      const updated = await db.updateTable('author').set({ name: 'Ada L.' }).where('id', '=', 1).executeTakeFirst()
      expect(updated.numUpdatedRows).toBe(1n)
      const returned = await db
        .insertInto('author')
        .values({ name: 'Bob', active: false })
        .returningAll()
        .executeTakeFirst()
      expect(returned).toEqual({ id: 2, name: 'Bob', active: 0 })
      expect(await db.selectFrom('author').select('name').where('active', '=', 1).execute()).toEqual([
        { name: 'Ada L.' },
      ])
      const names: string[] = []
      for await (const { name } of db.selectFrom('author').select('name').orderBy('id').stream()) names.push(name)
      expect(names).toEqual(['Ada L.', 'Bob'])
      const deleted = await db.deleteFrom('author').where('id', '>', 0).executeTakeFirst()
      expect(deleted.numDeletedRows).toBe(2n)
    })
  })

  it('refuses a transaction inside, in words', async () => {
    const nested = within((db) => db.transaction().execute((inner) => inner.selectFrom('author').selectAll().execute()))
    await expect(nested).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID', message: /ctx\.db\.transaction/ })
  })

  it('runs statements that were started together', async () => {
    const rows = await within(async (db) => {
      const add = (name: string) => db.insertInto('author').values({ name, active: 1 }).execute()
      await Promise.all([add('a'), add('b'), add('c')])
      return await db.selectFrom('author').select('name').orderBy('id').execute()
    })
    expect(rows).toEqual([{ name: 'a' }, { name: 'b' }, { name: 'c' }])
  })
})

describe('tables() by dialect', () => {
  const texts = {
    sqlite: 'select * from "author" where "id" = ? limit ?',
    postgres: 'select * from "author" where "id" = $1 limit $2',
    mysql: 'select * from `author` where `id` = ? limit ?',
  }
  it.each(Object.entries(texts))('writes the SQL of %s', async (dialect, text) => {
    const seen: unknown[] = []
    const connection: SqlConnection = {
      dialect: dialect as SqlConnection['dialect'],
      execute: async (sql, parameters): Promise<SqlResult> => {
        seen.push(sql, parameters)
        return { rows: [{ id: 7 }] }
      },
    }
    const db = tables<Tables>().bind(connection)
    expect(await db.selectFrom('author').selectAll().where('id', '=', 7).limit(1).executeTakeFirst()).toEqual({ id: 7 })
    expect(seen).toEqual([text, [7, 1]])
  })
})
