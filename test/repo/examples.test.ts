import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { root } from './root.ts'

// Programs in the docs run as they stand, beside the checkout's own packages.
const folder = mkdtempSync(join(root, '.examples-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const programs = [
  { page: 'README.md', starts: 'import { aggregate, answer', prints: "{ orderId: 'o-1', items: 1 }" },
  {
    page: 'docs/guide/getting-started.md',
    starts: 'import { aggregate, answer',
    prints: "{ orderId: 'o-1', status: 'placed', items: 1 }",
  },
]

describe('programs in the docs', () => {
  test.each(programs)('$page prints what it says', ({ page, starts, prints }) => {
    const blocks = [...readFileSync(join(root, page), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code)
    const program = blocks.find((code) => code?.startsWith(starts))
    expect(program).toBeDefined()
    const file = join(folder, `${page.replaceAll('/', '-')}.ts`)
    writeFileSync(file, (program as string).replace("'orders.db'", JSON.stringify(join(folder, `${page.length}.db`))))
    const ran = spawnSync(process.execPath, ['--conditions=source', file], { cwd: root, encoding: 'utf8' })
    expect(ran.stderr).toBe('')
    expect(ran.stdout.trim()).toBe(prints)
  })

  test('every npm script that a page names exists', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
    const pages = ['README.md', 'docs/follow-a-message.md', 'docs/guide/getting-started.md', 'docs/guide/failure.md']
    const named = pages.flatMap((page) =>
      [...readFileSync(join(root, page), 'utf8').matchAll(/npm (?:run )?(\w+)/g)].map(([, script]) => script as string),
    )
    expect([...new Set(named)].filter((script) => !(script in scripts) && script !== 'install')).toEqual([])
  })
})
