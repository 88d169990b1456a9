// A held message whose owner was taken for dead, and that it claims anew while its first claim has not ended.
import { createRegistry, systemRuntime } from 'obverse'
import { postgres } from 'obverse/postgres'
import { afterEach, describe, expect, test } from 'vitest'
import { arrival, definitions } from '../../../src/testing/conformance/messages.ts'
import { unit } from '../../../src/testing/conformance/units.ts'
import { fresh } from '../../servers.ts'
import { newSchema, query } from './database.ts'

const server = await fresh('postgres')

describe.skipIf(server.missing)('a held message that was lost and claimed anew', () => {
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
  })

  async function world() {
    const url = await newSchema(server.url)
    const hook = { committed: async () => {} }
    const runtime = {
      ...systemRuntime,
      reach: async (point: string) => {
        if (point === 'commit.after') await hook.committed()
      },
    }
    const store = await postgres(url).open({ runtime, registry: createRegistry(definitions), relayed: false })
    ends.push(() => store.close())
    await store.schema.migrate([])
    const delivery = arrival('k')
    await store.held.join([delivery])
    const claim = async () => (await store.held.claim('o', ['h'], 10)).map(({ heldId }) => heldId)
    const [heldId = 0] = await claim()
    const free = () => query(url, 'UPDATE obverse_held SET owner = NULL, lost = true')
    return { store, hook, claim, free, delivery: { ...delivery, heldId }, heldId }
  }

  test('is ended by its second claim, although the first one ends after that', async () => {
    const { store, hook, claim, free, delivery, heldId } = await world()
    await free()
    hook.committed = async () => {
      hook.committed = async () => {}
      expect(await claim()).toEqual([heldId])
    }
    const handle = () => store.transactions.commit({ name: 'contract', delivery }, unit())
    expect(await handle()).toMatchObject({ kind: 'lost' })
    expect(await handle()).toMatchObject({ kind: 'committed' })
  })
})
