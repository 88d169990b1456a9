import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../processes.ts'

const SOURCE = join(root, 'test/faults/ledger/process.ts')
const FOLDER = join(root, 'node_modules/.cache/faults')

let made: Promise<string> | undefined

/**
 * The file that a process of the ledger runs: everything in one, since hundreds of them are started, and each would
 * load hundreds of files. The bundler comes with Vitest; without it they run the source, and take longer to start.
 */
export function processFile(): Promise<string> {
  made ??= bundle().catch(() => SOURCE)
  return made
}

/** Named by its content: the code may change while processes are started. */
async function bundle(): Promise<string> {
  const { build } = await import('rolldown')
  const { output } = await build({
    input: SOURCE,
    platform: 'node',
    resolve: { conditionNames: ['source', 'node', 'import', 'default'] },
    output: { format: 'esm', codeSplitting: false },
    logLevel: 'silent',
    write: false,
  })
  const { code } = output[0]
  const file = join(FOLDER, `${createHash('sha256').update(code).digest('hex').slice(0, 16)}.mjs`)
  if (existsSync(file)) return file
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(`${file}.${process.pid}`, code)
  renameSync(`${file}.${process.pid}`, file)
  return file
}
