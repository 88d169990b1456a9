import { afterAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../processes.ts'
import { countingRuntime, openStore } from './store.ts'

const folder = temporaryFolder('dead')
afterAll(folder.remove)

const body = (n: number, type = n % 2 ? 'odd' : 'even') =>
  JSON.stringify({ id: `m${n}`, type, kind: 'event', schemaVersion: 1, time: 't', key: 'k', data: n })

describe('reclaiming', () => {
  it('takes back many in small transactions, in the order in which they came; a look in vain writes nothing', async () => {
    const runtime = countingRuntime()
    const store = await openStore(`${folder.path}/many.db`, { runtime })
    const refuse = (text: string) =>
      store.held.refuse({ channel: 'work', body: text, code: 'MESSAGE_TYPE_UNKNOWN', reason: '' })
    await Promise.all(Array.from({ length: 250 }, (_, n) => refuse(body(n))))
    await refuse(body(250, 'strange'))
    await refuse('not json')
    runtime.commits = 0
    const asked: string[] = []
    const known = (type: string, version: number, channel: string) => {
      asked.push(`${channel} ${type} ${version}`)
      return false
    }
    expect(await store.deadLetters.reclaim(known)).toBe(0)
    expect(asked.sort()).toEqual(['work even 1', 'work odd 1', 'work strange 1'])
    expect(runtime.commits).toBe(0)
    expect(await store.deadLetters.reclaim((type) => type !== 'strange')).toBe(250)
    expect(runtime.commits).toBe(3)
    expect(await store.broker.peek('work', 1_000)).toEqual(Array.from({ length: 250 }, (_, n) => body(n)))
    expect((await store.deadLetters.list()).map(({ body: left }) => left)).toEqual([body(250, 'strange'), 'not json'])
    await store.close()
  })
})
