import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Arrows, checkArrows, loadRules } from '../../scripts/arrows.ts'
import { manifest, root } from './root.ts'

// A tree in which every import is allowed; each culprit below is one file more.
const lawful: Record<string, string> = {
  'src/errors.ts': 'export const error = 1',
  'src/message/define.ts': "export { error } from '../errors.ts'",
  'src/runtime/clock.ts': "export { error } from '../errors.ts'",
  'src/write/outbox.ts': "import '../message/define.ts'; import '../runtime/clock.ts'; export interface Outbox {}",
  'src/wire/outbox.ts': "import '../message/define.ts'; import '../runtime/clock.ts'; export interface Outbox {}",
  'src/read/feed.ts': "import '../message/define.ts'; import '../runtime/clock.ts'; export interface Feed {}",
  'src/process/process.ts': "import '../write/outbox.ts'",
  'src/observe/trace.ts': "import type {} from '../write/outbox.ts'; import '../read/feed.ts'",
  'src/app.ts': "import './write/outbox.ts'; import './wire/outbox.ts'; import './read/feed.ts'",
  'src/index.ts': "export * from './app.ts'; export type * from './wire/outbox.ts'",
  'src/memory/index.ts': "import 'obverse'; export * from './broker.ts'",
  'src/memory/broker.ts': "import type {} from 'obverse'; export const broker = 1",
  'src/adapters/_sql/rows.ts': "import 'obverse'; export const rows = 1",
  'src/adapters/sqlite/index.ts': "import 'obverse'; import 'node:sqlite'; import '../_sql/rows.ts'",
  'src/adapters/kysely/index.ts': "import 'obverse'; import 'kysely'",
  'src/adapters/fastify/index.ts': "import 'obverse'; import type {} from 'fastify'",
  'src/testing/index.ts': "import 'obverse'; import 'obverse/memory'",
  'src/testing/conformance/index.ts': "import 'obverse'",
  'src/cli/bin.ts': "import 'obverse'; import 'obverse/sqlite'",
  'src/decorators/index.ts': "import 'obverse'",
  'src/console/index.ts': "import 'obverse'",
  'apps/start.ts': "import './orders/main.ts'",
  'apps/orders/main.ts': "import 'obverse'; import 'obverse/sqlite'; import 'fastify'; import './app.ts'",
  'apps/orders/app.ts': "import 'obverse'",
}

// One forbidden import each, and the rule that must name it.
const culprits: [rule: string, file: string, code: string][] = [
  ['errors-imports-nothing', 'src/errors.ts', "import './runtime/loop.ts'; export const error = 1"],
  ['message-is-a-leaf', 'src/message/culprit.ts', "import '../runtime/clock.ts'"],
  ['runtime-is-a-leaf', 'src/runtime/culprit.ts', "import type {} from '../message/define.ts'"],
  ['write-stands-alone', 'src/write/culprit.ts', "import type { Feed } from '../read/feed.ts'"],
  ['wire-stands-alone', 'src/wire/culprit.ts', "import type { Outbox } from '../write/outbox.ts'"],
  ['read-stands-alone', 'src/read/culprit.ts', "export type { Outbox } from '../write/outbox.ts'"],
  ['read-stands-alone', 'src/read/by-name.ts', "import 'obverse'"],
  ['process-stands-alone', 'src/process/culprit.ts', "import '../wire/outbox.ts'"],
  ['observe-wraps-ports', 'src/observe/culprit.ts', "import '../app.ts'"],
  ['only-app-joins', 'src/culprit.ts', "import './write/outbox.ts'"],
  ['core-names-no-adapter', 'src/describe.ts', "import './memory/broker.ts'"],
  ['memory-is-only-ports', 'src/memory/culprit.ts', "import 'obverse/sqlite'"],
  ['adapters-use-the-front-door', 'src/adapters/sqlite/culprit.ts', "import 'obverse/memory'"],
  ['no-adapter-imports-another', 'src/adapters/sqlite/other.ts', "import '../kysely/index.ts'"],
  ['around-the-core', 'src/testing/culprit.ts', "import 'obverse/cli'; import '../memory/broker.ts'"],
  ['around-the-core', 'src/cli/culprit.ts', "import '../app.ts'"],
  ['around-the-core', 'src/decorators/culprit.ts', "import '../app.ts'"],
  ['around-the-core', 'src/console/culprit.ts', "import '../app.ts'"],
  ['apps-are-strangers', 'apps/bank/culprit.ts', "import '../orders/app.ts'"],
  ['apps-are-strangers', 'apps/culprit.ts', "import '../src/app.ts'"],
  ['import-obverse-by-name', 'src/adapters/sqlite/path.ts', "import '../../index.ts'"],
  ['import-obverse-by-name', 'src/cli/path.ts', "import type {} from '../index.ts'"],
  ['import-obverse-by-name', 'apps/orders/path.ts', "import '../../src/memory/index.ts'"],
  ['nothing-to-install', 'src/wire/package.ts', "import { z } from 'zod'"],
  ['a-driver-stays-in-its-adapter', 'src/adapters/sqlite/driver.ts', "import type { Kysely } from 'kysely'"],
  ['a-driver-stays-in-its-adapter', 'src/app/driver.ts', "await import('fastify')"],
  ['no-unresolved', 'src/write/nowhere.ts', "import './gone.ts'"],
  ['no-circular', 'src/write/circle-a.ts', "import type { B } from './circle-b.ts'; export type A = B"],
]
const extra = {
  'src/runtime/loop.ts': 'export const loop = 1',
  'src/write/circle-b.ts': "import type { A } from './circle-a.ts'; export type B = A",
}

const trees: string[] = []
function tree(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'arrows-'))
  trees.push(folder)
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const [file, code] of Object.entries({ 'package.json': JSON.stringify(manifest), ...files })) {
    mkdirSync(join(folder, dirname(file)), { recursive: true })
    writeFileSync(join(folder, file), code)
  }
  return folder
}
afterAll(() => {
  for (const folder of trees) rmSync(folder, { recursive: true })
})

describe('the arrows', () => {
  let broken: Arrows
  beforeAll(async () => {
    const files = culprits.map(([, file, code]) => [file, code])
    broken = await checkArrows(tree({ ...lawful, ...extra, ...Object.fromEntries(files) }))
  })

  it('let every lawful import pass', async () => {
    expect(await checkArrows(tree(lawful))).toEqual({ violations: [], blind: [], files: Object.keys(lawful).length })
  })

  it.each(culprits)('%s stops %s', (rule, file) => {
    const rules = broken.violations.filter(({ from }) => from === file).map((violation) => violation.rule)
    expect(rules).toContain(rule)
  })

  it('stop nothing else', () => {
    const guilty = new Set([...culprits.map(([, file]) => file), ...Object.keys(extra)])
    expect(broken.violations.filter(({ from }) => !guilty.has(from))).toEqual([])
  })

  it('are all proven to stop something', async () => {
    const names = new Set((await loadRules()).forbidden.map(({ name }) => name))
    expect(new Set(culprits.map(([rule]) => rule))).toEqual(names)
  })

  it('say why', () => {
    expect(broken.violations.filter(({ reason }) => reason === '')).toEqual([])
  })
})

describe('the check itself', () => {
  it('fails on a file whose place no rule names', async () => {
    const { blind } = await checkArrows(tree({ ...lawful, 'src/helpers/text.ts': 'export const text = 1' }))
    expect(blind).toEqual([expect.stringContaining('src/helpers/text.ts is in no rule')])
  })

  it("fails when no import from 'obverse' led to the source", async () => {
    const { blind } = await checkArrows(tree({ 'src/index.ts': 'export const a = 1' }))
    expect(blind).toEqual([expect.stringContaining("no import from 'obverse'")])
  })
})
