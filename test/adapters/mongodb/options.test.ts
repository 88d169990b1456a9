import { inspect } from 'node:util'
import { MongoClient } from 'mongodb'
import { systemRuntime } from 'obverse'
import { mongodb } from 'obverse/mongodb'
import { describe, expect, it, onTestFinished } from 'vitest'
import { server } from '../../servers.ts'
import { databasesOn } from './databases.ts'

const shared = await server('mongodb')
const databases = databasesOn(shared)
const invalid = (message: RegExp) =>
  expect.objectContaining({ code: 'CONFIGURATION_INVALID', message: expect.stringMatching(message) })
const open = (to: Parameters<typeof mongodb>[0]) => mongodb(to)({ runtime: systemRuntime })
const shape = { name: 'rows', key: 'id', lookups: [] }

describe('mongodb()', () => {
  it.each([
    ['postgres://127.0.0.1/shop', {}, /^The URL of mongodb\(\) cannot be read; give one like mongodb:/],
    ['', {}, /cannot be read/],
    ['mongodb://127.0.0.1:27017', {}, /for 127\.0\.0\.1:27017 names no database; add one/],
    ['mongodb://127.0.0.1/?retryWrites=true', {}, /names no database/],
    ['mongodb://127.0.0.1/a.b', {}, /cannot be used: /],
    ['mongodb://127.0.0.1/shop?nonsense=1', {}, /for 127\.0\.0\.1 cannot be used: .*nonsense/],
    ['mongodb://127.0.0.1:99999/shop', {}, /cannot be used/],
    ['mongodb://127.0.0.1/shop', { database: '' }, /database of mongodb\(\) is ""/],
    ['mongodb://127.0.0.1/shop', { timeout: 0 }, /timeout of mongodb\(\) is 0/],
    ['mongodb://127.0.0.1/shop', { timeOut: 1 }, /no option "timeOut"; did you mean timeout/],
  ])('refuses %j with %j', (url, options, message) => {
    expect(() => mongodb(url, options as object)).toThrow(invalid(message))
  })

  it.each(['nonsense=1', 'authMechanism=NO', 'tls=maybe'])('says no password when it refuses %s', (query) => {
    for (const password of ['s3cret', 's%2Fcret%40', 's3:cret']) {
      const attempt = () => mongodb(`mongodb://me:${password}@127.0.0.1/shop?${query}`)
      try {
        attempt()
      } catch (error) {
        expect(inspect(error, { depth: 9 })).not.toMatch(/s3cret|s%2Fcret|s\/cret|s3:cret/)
      }
      expect(attempt).toThrow(invalid(/^The URL of mongodb\(\) for 127\.0\.0\.1 cannot be used/))
    }
  })

  it('says no password when the server is not there', async () => {
    const store = await open('mongodb://me:s3cret@127.0.0.1:1/shop?serverSelectionTimeoutMS=200&authSource=admin')
    onTestFinished(() => store.close?.())
    const error = await store
      .open({ ...shape, lookups: [{ by: ['a'], descending: false }] }, 1)
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'STORE_UNREACHABLE', message: expect.stringContaining('127.0.0.1:1/shop') })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cret')
    expect((await store.health?.())?.detail).not.toContain('s3cret')
  })

  it('says at start what of a view it cannot serve', async () => {
    const store = await open('mongodb://127.0.0.1:1/shop')
    onTestFinished(() => store.close?.())
    const by = (...fields: string[]) => ({ by: fields, descending: false })
    const many = Array.from({ length: 64 }, (_, n) => `f${n}`)
    expect(store.lacks({ name: 'x'.repeat(300), key: 'id', lookups: [] })).toEqual([expect.stringMatching(/310 bytes/)])
    expect(store.lacks({ ...shape, lookups: many.map((field) => by(field)) })).toEqual([
      expect.stringMatching(/64 ind/),
    ])
    expect(store.lacks({ ...shape, lookups: [by(...many)] })).toEqual([expect.stringMatching(/65 fields/)])
    const search = { fields: ['name', 'text'], by: [] }
    expect(store.lacks({ ...shape, search })).toEqual([expect.stringMatching(/name and text cannot be searched/)])
  })
})

describe.skipIf(shared.missing)('a client of the user', () => {
  it.each([{ promoteValues: false, raw: true }, { useBigInt64: true }, { promoteLongs: false, ignoreUndefined: true }])(
    'that has %j is used with our own reading of values, and stays open',
    async (values) => {
      const made = databases.next()
      const client = new MongoClient(databases.url(made), {
        ...values,
        readPreference: 'secondaryPreferred',
        writeConcern: { w: 0 },
      })
      onTestFinished(() => client.close())
      const db = client.db(made.databaseName)
      const store = await open(db)
      const table = await store.open({ ...shape, lookups: [{ by: ['n'], descending: false }] }, 1)
      const rows = [{ id: 'a', key: 'k', mark: 2 ** 40, data: { id: 'a', n: 1, big: 2 ** 53 - 1 } }]
      expect(await table.save(rows)).toEqual([])
      expect(await table.load(['a'])).toEqual(rows)
      expect(await table.save(rows)).toEqual(['a'])
      expect(await table.count()).toBe(1)
      expect(await store.checkpoints?.advance('p', 0, 2 ** 40)).toBe(true)
      expect(await store.checkpoints?.get('p')).toBe(2 ** 40)
      expect((await store.examine?.([shape]))?.some(({ level }) => level === 'error')).toBe(false)
      await store.close?.()
      await expect(table.get('a')).rejects.toMatchObject({ code: 'STORE_CLOSED' })
      const left = await client.db(made.databaseName).collection('rows').countDocuments({}, { raw: false })
      expect(Number(left)).toBe(1)
    },
  )

  it('is watched once, however many views it has', async () => {
    const db = databases.next()
    const before = db.client.listenerCount('connectionClosed')
    for (let views = 0; views < 20; views += 1) await open(db)
    expect(db.client.listenerCount('connectionClosed')).toBeLessThanOrEqual(Math.max(before, 1))
  })
})
