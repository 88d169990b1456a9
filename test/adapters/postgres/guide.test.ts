// The program in the guide, as it stands.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { root, runToEnd } from '../../processes.ts'
import { fresh } from '../../servers.ts'

const server = await fresh('postgres')

describe.skipIf(server.missing)('the guide to PostgreSQL', () => {
  const folder = mkdtempSync(join(root, '.examples-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('shows a transaction of the application that works, a second time too', async () => {
    const guide = readFileSync(join(root, 'docs/guide/postgres.md'), 'utf8')
    const blocks = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code as string)
    const program = blocks.find((code) => code.includes('await app.stop()'))
    const file = join(folder, 'joined.ts')
    writeFileSync(file, program as string)
    for (const seq of [1, 2]) {
      const ended = await runToEnd(relative(root, file), [], { env: { DATABASE_URL: server.url } })
      expect(ended).toMatchObject({ code: 0, stderr: '', stdout: `mail about o-1, event ${seq} of its key\n` })
    }
  })
})
