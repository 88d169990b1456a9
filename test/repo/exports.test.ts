import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { entries, root } from './root.ts'

// Folders outside the core that users import; each has an entry as soon as it exists.
const PUBLIC = ['memory', 'testing', 'testing/conformance', 'decorators', 'console']

describe('the entries of package.json', () => {
  it.each(entries)('%s is a source file, and dist mirrors it', (_, { source, types, default: built }) => {
    expect(existsSync(join(root, source)), source).toBe(true)
    const path = source.replace(/^\.\/src\//, '').replace(/\.ts$/, '')
    expect({ types, built }).toEqual({ types: `./dist/${path}.d.ts`, built: `./dist/${path}.js` })
  })

  it.each(entries)('%s has the name of its folder', (name, { source }) => {
    const folder = source.replace(/^\.\/src\/(adapters\/)?/, '').replace(/\/?index\.ts$/, '')
    expect(name).toBe(folder === '' ? 'obverse' : `obverse/${folder}`)
  })

  it('names every adapter', () => {
    const adapters = readdirSync(join(root, 'src/adapters')).filter((folder) => !folder.startsWith('_'))
    const named = entries.flatMap(([, { source }]) => /^\.\/src\/adapters\/([^/]+)\/index\.ts$/.exec(source)?.[1] ?? [])
    expect(named.sort()).toEqual(adapters.sort())
  })

  it.each(PUBLIC)('names src/%s, if it exists', (folder) => {
    const source = `./src/${folder}/index.ts`
    if (existsSync(join(root, source))) expect(entries.map(([, entry]) => entry.source)).toContain(source)
  })
})
