import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../processes.ts'

const SOURCE = join(root, 'test/faults/ledger/process.ts')

let made: Promise<string> | undefined

/**
 * The file that a process of the ledger runs: everything in one, since hundreds of them are started, and each would
 * load hundreds of files. The bundler comes with Vitest; without it they run the source, and take longer to start.
 */
export function processFile(): Promise<string> {
  made ??= bundle().catch(() => SOURCE)
  return made
}

async function bundle(): Promise<string> {
  const { build } = await import('rolldown')
  const folder = join(root, 'node_modules/.cache/faults')
  mkdirSync(folder, { recursive: true })
  // another run may be at work
  const file = join(folder, `ledger-${process.pid}.mjs`)
  await build({
    input: SOURCE,
    platform: 'node',
    resolve: { conditionNames: ['source', 'node', 'import', 'default'] },
    output: { file, format: 'esm' },
    logLevel: 'silent',
  })
  process.once('exit', () => rmSync(file, { force: true }))
  return file
}
