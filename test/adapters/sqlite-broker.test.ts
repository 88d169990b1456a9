import { join } from 'node:path'
import { createApp, systemRuntime } from 'obverse'
import { sqlite, sqliteBroker } from 'obverse/sqlite'
import { brokerContracts } from 'obverse/testing/conformance'
import { afterAll, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../processes.ts'

const folder = temporaryFolder('sqlite-broker')
afterAll(folder.remove)
let files = 0
const newFile = () => join(folder.path, `${++files}.db`)
const environment = { runtime: systemRuntime }

describe('sqlite broker', () => {
  const broker = async () => {
    const connect = sqliteBroker(newFile())
    return () => connect(environment)
  }
  for (const { name, skip, run } of brokerContracts({ broker, capabilities: ['returns'] })) test.skipIf(skip)(name, run)

  test('keeps its channels and messages when every process has gone', async () => {
    const connect = sqliteBroker(newFile())
    const first = await connect(environment)
    await first.declare([{ name: 'work' }])
    await first.publish([{ messageId: 'm1', channel: 'work', key: 'k', body: '{}' }])
    await first.close()
    const second = await connect(environment)
    expect(await second.publish([{ messageId: 'm2', channel: 'work', key: 'k', body: '[]' }])).toEqual([
      { messageId: 'm2', kind: 'confirmed' },
    ])
    expect(await second.peek('work', 10)).toEqual(['{}', '[]'])
    await second.close()
  })

  test('refuses the file of a store, and a store refuses its file', async () => {
    const file = newFile()
    await using app = createApp({ handlers: [], store: sqlite(file) })
    await app.open()
    await expect(sqliteBroker(file)(environment)).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })

    const queues = newFile()
    const broker = await sqliteBroker(queues)(environment)
    await using other = createApp({ handlers: [], store: sqlite(queues) })
    await expect(other.open()).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
    await broker.close()
  })
})
