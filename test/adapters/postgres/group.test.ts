// Units that share a commit, and connections that many want.
import { createRegistry, type OpenStore, systemRuntime } from 'obverse'
import { postgres } from 'obverse/postgres'
import { afterEach, describe, expect, test } from 'vitest'
import { fresh } from '../../servers.ts'
import { newSchema, query } from './database.ts'
import { unitOf } from './unit.ts'

const server = await fresh('postgres')

describe.skipIf(server.missing)('units of one commit', () => {
  let store: OpenStore
  afterEach(() => store.close())

  const open = async (options = {}) => {
    const url = await newSchema(server.url)
    store = await postgres(url, options).open({
      runtime: systemRuntime,
      registry: createRegistry([]),
      relayed: true,
    })
    await store.schema.migrate([])
    return url
  }
  const entry = (key: string) => ({
    name: 'test',
    claim: { principal: 'p', command: 'c', key, fingerprint: 'f' },
  })

  test('one whose answer cannot be made leaves no gap in its key', async () => {
    const url = await open()
    const answer = () => {
      throw new TypeError('no JSON')
    }
    const failing = store.transactions.commit(entry('1'), { ...unitOf('k', 'k'), answer })
    const other = store.transactions.commit(entry('2'), unitOf('k'))
    await expect(failing).rejects.toThrow('no JSON')
    expect(await other).toMatchObject({ events: [{ key: 'k', seq: 1 }] })
    expect(await query(url, 'SELECT seq::int FROM obverse_event')).toEqual([{ seq: 1 }])
  })

  test('a pool of which every connection is taken says so', async () => {
    await open({ connections: 5, patience: 300 })
    const nest = (deep: number): Promise<unknown> =>
      store.transactions.transact({ name: `${deep}` }, async (tx) => {
        await tx.connection().execute('SELECT 1', [])
        if (deep < 6) await nest(deep + 1)
        return unitOf('k')
      })
    await expect(nest(1)).rejects.toThrow(/none of the 5 connections .* within 300 ms; raise connections/)
  })
})
