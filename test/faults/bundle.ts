import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../processes.ts'

const SOURCES = join(root, 'test/faults/ledger')
const FOLDER = join(root, 'node_modules/.cache/faults')

const made = new Map<string, Promise<string>>()

/**
 * The file that a process of the ledger runs: everything in one, since hundreds of them are started, and each would
 * load hundreds of files. The bundler comes with Vitest; without it they run the source, and take longer to start.
 */
export function processFile(program: string): Promise<string> {
  const source = join(SOURCES, program)
  const file = made.get(program) ?? bundle(source).catch(() => source)
  made.set(program, file)
  return file
}

/** Named by its content: the code may change while processes are started. */
async function bundle(source: string): Promise<string> {
  const { build } = await import('rolldown')
  const { output } = await build({
    input: source,
    platform: 'node',
    resolve: { conditionNames: ['source', 'node', 'default'] },
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
