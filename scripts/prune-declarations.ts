import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

// Takes away the declarations that no entry leads to: nobody can import those files, so no compiler reads them.

const root = join(import.meta.dirname, '..')
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { types: string }>
}
const reached = new Set<string>()
const waiting = Object.values(exports).flatMap((entry) =>
  typeof entry === 'string' ? [] : [resolve(root, entry.types)],
)
for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
  if (reached.has(file)) continue
  reached.add(file)
  for (const [, from] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*['"](\.[^'"]+)\.(?:js|ts)['"]/g)) {
    waiting.push(resolve(dirname(file), `${from}.d.ts`))
  }
}
const declarations = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.d.ts'))
  .map((name) => join(root, 'dist', name))
for (const file of declarations) if (!reached.has(file)) rmSync(file)
