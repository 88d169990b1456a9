import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { root } from './root.ts'

// Programs in the docs run as they stand, beside the checkout's own packages.
const folder = mkdtempSync(join(root, '.examples-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(file: string) {
  const { stdout, stderr } = spawnSync(process.execPath, ['--conditions=source', file], { cwd: root, encoding: 'utf8' })
  return { stdout: stdout.trim(), stderr }
}

function blocks(page: string): string[] {
  return [...readFileSync(join(root, page), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code as string)
}

const programs = [
  { page: 'README.md', prints: /^\{ orderId: '[\w-]{36}', items: 1 \}$/ },
  {
    page: 'docs/guide/getting-started.md',
    prints: /^\{\s+orderId: '[\w-]{36}',\s+status: 'placed',\s+items: 1\s+\}$/,
  },
]

describe('programs in the docs', () => {
  test.each(programs)('$page prints what it says, a second time too', ({ page, prints }) => {
    const program = blocks(page).find((code) => code.includes('await app.stop()'))
    expect(program).toBeDefined()
    const file = join(folder, `${page.replaceAll('/', '-')}.ts`)
    writeFileSync(file, (program as string).replace("'orders.db'", JSON.stringify(join(folder, `${page.length}.db`))))
    for (const { stdout, stderr } of [run(file), run(file)]) {
      expect(stderr).toBe('')
      expect(stdout).toMatch(prints)
    }
  })

  test('every npm script that a page names exists', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
    const pages = ['README.md', 'docs/follow-a-message.md', 'docs/guide/getting-started.md', 'docs/guide/failure.md']
    const text = pages.map((page) => readFileSync(join(root, page), 'utf8')).join('\n')
    const named = [...text.matchAll(/^\s*npm (?:run )?(?:-- )?(\w+)/gm)].map(([, script]) => script as string)
    expect(named).toContain('start')
    expect([...new Set(named)].filter((script) => !(script in scripts) && script !== 'install')).toEqual([])
  })
})

describe('examples', () => {
  test.each(readdirSync(join(root, 'examples')))('%s prints what it says', (name) => {
    const file = join(root, 'examples', name)
    const [, prints] = /\/\* prints\n([\s\S]*?)\n\*\/\s*$/.exec(readFileSync(file, 'utf8')) ?? []
    expect(prints).toBeDefined()
    expect(run(file)).toEqual({ stdout: prints, stderr: '' })
  })
})
