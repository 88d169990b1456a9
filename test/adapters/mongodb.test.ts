import type { Db } from 'mongodb'
import { type Protection, systemRuntime, type ViewStore } from 'obverse'
import { mongodb } from 'obverse/mongodb'
import { checkpointCanaries, checkpointContracts, viewCanaries, viewContracts } from 'obverse/testing/conformance'
import { describe, expect, it } from 'vitest'
import { server } from '../servers.ts'
import { documentedCommands, sentCommands } from './mongodb/commands.ts'
import { databasesOn } from './mongodb/databases.ts'

const shared = await server('mongodb')
const databases = databasesOn(shared)

const open = (db: Db, without?: ReadonlySet<Protection>): Promise<ViewStore> =>
  mongodb(db)({ runtime: { ...systemRuntime, ...(without && { without }) } })

describe.skipIf(shared.missing)('mongodb', () => {
  const options = {
    views: (without?: ReadonlySet<Protection>) => open(databases.next(), without),
    capabilities: ['ordered-lookups'],
  } as const
  for (const { name, skip, run } of viewContracts(options)) it.skipIf(skip)(name, run)
  for (const { name, skip, run } of viewCanaries(options)) it.skipIf(skip)(name, run)
})

describe.skipIf(shared.missing)('mongodb checkpoints', () => {
  const options = {
    checkpoints: async (without?: ReadonlySet<Protection>) => {
      const db = databases.next()
      return async () => {
        const { checkpoints } = await open(db, without)
        if (!checkpoints) throw new Error('The store has no checkpoints')
        return checkpoints
      }
    },
    capabilities: [],
  } as const
  for (const { name, skip, run } of checkpointContracts(options)) it.skipIf(skip)(name, run)
  for (const { name, skip, run } of checkpointCanaries(options)) it.skipIf(skip)(name, run)
})

describe.skipIf(shared.missing)('what is sent to a server', () => {
  it('is in docs/reference/mongodb.md, and everything there is sent', async () => {
    // what no contract asks for
    const store = await open(databases.next())
    const lookup = { by: ['city'], descending: false }
    const shape = { name: 'people', key: 'id', lookups: [lookup] }
    const rows = [{ id: 'a', key: 'a', mark: 1, data: { id: 'a', age: 1 } }]
    const table = await store.open(shape, 1)
    await table.load(['a'])
    await table.save(rows)
    await table.size?.(lookup, ['Rome'])
    await store.open({ ...shape, lookups: [{ ...lookup, order: 'age' }] }, 1)
    await store.health?.()
    await store.examine?.([shape])
    await store.drop(shape, 1)

    const documented = documentedCommands()
    const sent = sentCommands(databases.sent)
    for (const [name, { fields, operators }] of Object.entries(sent)) {
      expect(documented, `the command ${name}`).toHaveProperty(name)
      expect(documented[name]?.fields, `fields of ${name}`).toEqual(expect.arrayContaining([...fields]))
      expect(documented[name]?.operators, `operators of ${name}`).toEqual(expect.arrayContaining([...operators]))
    }
    // a server has hello or isMaster, and is single or a set
    const either = ['isMaster', 'hello', 'writeConcern.j', 'writeConcern.wtimeout']
    const left = Object.entries(documented).flatMap(([name, { fields, operators }]) =>
      name in sent
        ? [...fields, ...operators].filter(
            (each) => !sent[name]?.fields.includes(each) && !sent[name]?.operators.includes(each),
          )
        : [name],
    )
    expect(left.filter((each) => !either.includes(each))).toEqual([])
  })
})
