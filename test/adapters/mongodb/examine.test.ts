import type { Document } from 'mongodb'
import { type Finding, type Lookup, systemRuntime } from 'obverse'
import { mongodb } from 'obverse/mongodb'
import { describe, expect, it } from 'vitest'
import { server } from '../../servers.ts'
import { databasesOn } from './databases.ts'

const shared = await server('mongodb')
const databases = databasesOn(shared)
const by = (...fields: string[]): Lookup => ({ by: fields, descending: false })
const shape = (...lookups: Lookup[]) => ({ name: 'orders', key: 'id', lookups })

async function opened(runtime = systemRuntime) {
  const db = databases.next()
  const store = await mongodb(db)({ runtime })
  const findings = async (...lookups: Lookup[]): Promise<readonly Finding[]> =>
    (await store.examine?.([shape(...lookups)])) ?? []
  return { db, store, findings, collection: db.collection<Document>('orders') }
}

const of = (findings: readonly Finding[], subject: string) => findings.filter((each) => each.subject === subject)

describe.skipIf(shared.missing)('doctor on MongoDB', () => {
  it('says what the server is, and that all is well', async () => {
    const { store, findings } = await opened()
    await store.open(shape(by('status')), 1)
    await store.open(shape(by('status')), 2)
    const found = await findings(by('status'))
    expect(found.filter(({ level }) => level !== 'ok')).toEqual([])
    expect(of(found, 'mongodb version')[0]?.says).toMatch(/^[5-8]\./)
    expect(of(found, 'mongodb server')[0]?.says).toMatch(/^a (single server|replica set \(\w+\)): writes are ack/)
    expect(of(found, 'view orders')).toEqual([
      { level: 'ok', subject: 'view orders', says: 'every look-up has its index in orders, orders@2' },
    ])
    const health = await store.health?.()
    expect(health).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/^MongoDB \d+\.\d+\S*( of another product)? at \w+, a \w+ \w+/),
    })
  })

  it('names an index that is missing, and the command that makes it', async () => {
    const { store, findings, collection, db } = await opened()
    await store.open(shape(by('status'), by('city')), 1)
    await collection.dropIndex('_obverse.by.status_1__id_1')
    const [found, ...more] = of(await findings(by('status'), by('city')), 'view orders')
    expect(more).toEqual([])
    expect(found).toMatchObject({
      level: 'error',
      says: 'orders lacks the index _obverse.by.status_1__id_1: a look-up reads every row',
    })
    const made = /createIndex\((\{.*\}), (\{.*\})\)$/.exec(found?.remedy ?? '')
    expect(found?.remedy).toMatch(/^Run in mongosh: db\.getCollection\("orders"\)\.createIndex\(/)
    await db.collection('orders').createIndex(JSON.parse(made?.[1] ?? ''), JSON.parse(made?.[2] ?? ''))
    expect(of(await findings(by('status'), by('city')), 'view orders')[0]?.level).toBe('ok')
  })

  it('names an index that is another than declared, and one that nobody needs any more', async () => {
    const { store, findings, collection } = await opened()
    await store.open(shape(by('status'), by('city')), 1)
    const name = '_obverse.by.status_1__id_1'
    await collection.dropIndex(name)
    await collection.createIndex({ '_obverse.by.status': 1, _id: 1 }, { name })
    await collection.createIndex({ city: 1 })
    expect(of(await findings(by('status')), 'view orders')).toMatchObject([
      {
        level: 'error',
        says: `the index ${name} of orders is not as declared`,
        remedy: expect.stringContaining(`dropIndex("${name}"); db.getCollection("orders").createIndex(`),
      },
      {
        level: 'warning',
        says: 'orders has the index _obverse.by.city_1__id_1, which no look-up of this version needs',
        remedy: expect.stringContaining('dropIndex("_obverse.by.city_1__id_1")'),
      },
    ])
  })

  it('names rows that a version without a look-up has saved', async () => {
    const { db, store, findings } = await opened()
    await store.open(shape(by('status')), 1)
    const older = await (await mongodb(db)({ runtime: systemRuntime })).open(shape(), 1)
    await older.save([{ id: 'a', key: 'a', mark: 1, data: { id: 'a', status: 'x' } }])
    expect(of(await findings(by('status')), 'view orders')).toMatchObject([
      { level: 'warning', says: expect.stringMatching(/^orders has rows that .* as "a"/) },
    ])
  })

  it('says when the clocks differ', async () => {
    const { findings } = await opened({ ...systemRuntime, now: () => Date.now() + 60_000 })
    expect(of(await findings(), 'mongodb clock')).toMatchObject([
      { level: 'warning', says: expect.stringMatching(/^(59|60)\.\d s from ours$/) },
    ])
  })
})
