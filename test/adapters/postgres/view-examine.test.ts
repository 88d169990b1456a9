import { isObverseError, type ViewShape, type ViewStore } from 'obverse'
import { afterEach, describe, expect, it } from 'vitest'
import { fresh } from '../../servers.ts'
import { newSchema, openViews, query } from './database.ts'

const postgres = await fresh('postgres')

const opened: ViewStore[] = []
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close?.()
})
async function open(url: string): Promise<ViewStore> {
  const store = await openViews(url)
  opened.push(store)
  return store
}

const byStatus = { by: ['status'], descending: false }
const shape: ViewShape = { name: 'orders', key: 'id', lookups: [byStatus] }
const table = '"obverse_view_orders_1"'

/** As another user, which has no rights of its own. */
function asUser(url: string, role: string): string {
  const address = new URL(url)
  address.searchParams.set('options', `${address.searchParams.get('options')} -c role=${role}`)
  return address.href
}

describe.skipIf(postgres.missing)('what doctor is told of views', () => {
  it('is that all is well', async () => {
    const store = await open(await newSchema(postgres.url))
    expect(await store.examine?.([shape])).toMatchObject([
      { level: 'ok', says: expect.stringMatching(/^PostgreSQL 1\d/) },
    ])
    await store.open(shape, 1)
    expect(await store.examine?.([shape])).toMatchObject([
      { level: 'ok' },
      { level: 'ok', subject: 'view orders', says: 'every look-up has its index in obverse_view_orders_1' },
    ])
  })

  it('is which index is missing, and which one nobody needs', async () => {
    const url = await newSchema(postgres.url)
    const store = await open(url)
    await store.open(shape, 1)
    await store.open({ ...shape, name: 'orders_2' }, 1)
    const other: ViewShape = { ...shape, lookups: [{ by: [], order: 'total', descending: true }] }
    expect(await store.examine?.([other])).toMatchObject([
      { level: 'ok' },
      {
        level: 'warning',
        says: expect.stringMatching(
          /lacks the index obverse_by_orders_1_\w+, so the look-up of all rows, ordered by total/,
        ),
      },
      {
        level: 'warning',
        says: expect.stringMatching(/keeps what no look-up of this version needs: .*status/),
        remedy: expect.stringContaining('rebuild'),
      },
    ])
    await store.open(other, 1)
    expect((await store.examine?.([other]))?.map(({ level }) => level)).toEqual(['ok', 'warning'])
  })

  it('is what the user may not do', async () => {
    const url = await newSchema(postgres.url)
    const role = `obverse_${process.pid}`
    const schema = (await query<{ schema: string }>(url, 'SELECT current_schema() AS schema'))[0]?.schema
    await query(url, `CREATE ROLE ${role}; GRANT USAGE ON SCHEMA ${schema} TO ${role}`)
    try {
      const store = await open(asUser(url, role))
      expect(await store.examine?.([shape])).toMatchObject([
        {
          level: 'error',
          says: `${role} may not make tables in the schema ${schema}`,
          remedy: expect.stringContaining('GRANT CREATE'),
        },
      ])
      const error = await store.open(shape, 1).catch((thrown: unknown) => thrown)
      expect(isObverseError(error, 'CONFIGURATION_INVALID')).toBe(true)
      expect(String(error)).toContain('permission denied')
      await (await open(url)).open(shape, 1)
      expect((await store.examine?.([shape]))?.at(-1)).toMatchObject({
        level: 'error',
        says: 'obverse_view_orders_1 may not be used',
      })
      await query(url, `GRANT SELECT ON ${table} TO ${role}`)
      expect((await store.examine?.([shape]))?.at(-1)).toMatchObject({ level: 'error' })
      await query(url, `GRANT INSERT, UPDATE ON ${table} TO ${role}`)
      expect((await store.examine?.([shape]))?.at(-1)).toMatchObject({ level: 'warning' })
      expect(
        await (await store.open(shape, 1)).save([{ id: 'a', key: 'a', mark: 1, data: { status: 'new' } }]),
      ).toEqual([])
    } finally {
      await query(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  })
})
