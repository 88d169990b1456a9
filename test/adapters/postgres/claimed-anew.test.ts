// A held message that its owner claims anew before it knows how its first claim has ended.
import { createRegistry, systemRuntime } from 'obverse'
import { postgres } from 'obverse/postgres'
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { arrival, definitions } from '../../../src/testing/conformance/messages.ts'
import { unit } from '../../../src/testing/conformance/units.ts'
import { fresh } from '../../servers.ts'
import { newSchema, query as run } from './database.ts'

const server = await fresh('postgres')
const FAILURE = { attempts: 2, code: 'E', reason: 'why', detail: '', retryAt: 0 }
const nothing = async (): Promise<void> => {}

describe.skipIf(server.missing)('a held message that is claimed anew', () => {
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })

  /** `after.commit` runs once, when the next transaction has been committed and nobody has been told so. */
  async function world() {
    const after = { commit: nothing }
    const url = await newSchema(server.url)
    const pool = new pg.Pool({ connectionString: url, max: 6 })
    pool.on('connect', (client) => {
      const query = client.query.bind(client) as (config: { text: string }) => Promise<unknown>
      client.query = (async (config: { text: string }) => {
        const answer = await query(config)
        if (config.text !== 'COMMIT') return answer
        const { commit } = after
        after.commit = nothing
        await commit()
        return answer
      }) as never
    })
    const store = await postgres(pool).open({
      runtime: systemRuntime,
      registry: createRegistry(definitions),
      relayed: false,
    })
    ends.push(
      () => pool.end(),
      () => store.close(),
    )
    await store.schema.migrate([])
    const delivery = arrival('k')
    await store.held.join([delivery])
    const claim = async () => (await store.held.claim('o', ['h'], 10)).map(({ heldId }) => heldId)
    const [heldId = 0] = await claim()
    const handle = () => store.transactions.commit({ name: 'contract', delivery: taken }, unit())
    const taken = { ...delivery, heldId }
    return { url, store, after, claim, handle, delivery: taken, heldId }
  }

  test('after it was lost', async () => {
    const { url, after, claim, handle, heldId } = await world()
    await run(url, 'UPDATE obverse_held SET owner = NULL, lost = true')
    after.commit = async () => expect(await claim()).toEqual([heldId])
    expect(await handle()).toMatchObject({ kind: 'lost' })
    expect(await handle()).toMatchObject({ kind: 'committed' })
  })

  test('after it has failed again', async () => {
    const { store, after, claim, handle, delivery, heldId } = await world()
    after.commit = async () => expect(await claim()).toEqual([heldId])
    await store.held.hold(delivery, FAILURE)
    expect(await handle()).toMatchObject({ kind: 'committed' })
  })

  test('after it was given back', async () => {
    const { store, after, claim, handle, delivery, heldId } = await world()
    after.commit = async () => expect(await claim()).toEqual([heldId])
    await store.held.join([delivery])
    expect(await handle()).toMatchObject({ kind: 'committed' })
  })
})
