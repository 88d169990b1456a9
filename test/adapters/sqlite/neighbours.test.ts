import { command, createApp, handle, type SqlConnection, unchecked } from 'obverse'
import { sqlite } from 'obverse/sqlite'
import { afterAll, expect, it } from 'vitest'
import { temporaryFolder, until } from '../../processes.ts'

const folder = temporaryFolder('neighbours')
afterAll(folder.remove)

const Good = command('good', unchecked<{ n: number }>())
const Bad = command('bad', unchecked<{ n: number }>())
const plain = { bind: (connection: SqlConnection): SqlConnection => connection }
const options = { channel: 'work', db: plain, retry: { retries: 0 } }

it('messages in the background lose no attempt to a neighbour whose commit is refused', async () => {
  const app = createApp({
    handlers: [
      handle(Good, options, async ({ n }, ctx) => {
        await ctx.db.execute('INSERT INTO parent (id) VALUES (?)', [n])
      }),
      handle(Bad, options, async ({ n }, ctx) => {
        await ctx.db.execute('INSERT INTO child (parent) VALUES (?)', [-1 - n])
      }),
    ],
    store: sqlite(`${folder.path}/app.db`),
    migrations: [
      {
        name: 'tables',
        up: async (c) => {
          await c.execute('CREATE TABLE parent (id INTEGER PRIMARY KEY)', [])
          await c.execute(
            'CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)',
            [],
          )
        },
      },
    ],
  })
  await app.open()
  const sent = { good: [] as string[], bad: [] as string[] }
  for (let n = 0; n < 30; n += 1) {
    sent.good.push((await app.send(Good({ n }))).messageId)
    sent.bad.push((await app.send(Bad({ n }))).messageId)
  }
  await app.start()
  const statuses = (ids: readonly string[]) => Promise.all(ids.map((id) => app.operate.status(id)))
  const ended = async () => (await statuses([...sent.good, ...sent.bad])).every((one) => one?.state !== 'pending')
  await until('all to end', ended, 20_000)
  expect(new Set((await statuses(sent.good)).map((one) => one?.state))).toEqual(new Set(['done']))
  expect(new Set((await statuses(sent.bad)).map((one) => one?.reason))).toEqual(
    new Set(['FOREIGN KEY constraint failed']),
  )
  await app.stop()
})
