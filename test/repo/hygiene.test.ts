import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesInGit, root } from './root.ts'

// Written so that this file does not find itself.
const forbidden: [what: string, pattern: RegExp][] = [
  ['a path of one machine', /(?<![\w.)\]}/*-])\/(?:work|root|home\/[\w-]+|Users\/[\w-]+)\/[\w.-]/],
  ['the host of a package registry', /\b(?:registry\.npmjs|registry\.yarnpkg|npm\.pkg\.github|npmmirror)\.\w+/],
]

const texts = filesInGit().flatMap((file) => {
  const bytes = readFileSync(join(root, file))
  return bytes.includes(0) ? [] : [{ file, lines: bytes.toString('utf8').split('\n') }]
})

const lock: Lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))

describe('what is committed', () => {
  it.each(forbidden)('never names %s', (_, pattern) => {
    const found = texts.flatMap(({ file, lines }) =>
      lines.flatMap((line, index) =>
        pattern.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 200)}`] : [],
      ),
    )
    expect(found).toEqual([])
  })

  it('would be noticed', () => {
    const [path, host] = forbidden.map(([, pattern]) => pattern)
    const machine = ['', 'root', 'x.db'].join('/')
    expect(path?.test(`open('${machine}')`)).toBe(true)
    expect(path?.test(`from '../test${machine}'`)).toBe(false)
    expect(host?.test(['https://registry', 'npmjs', 'org/zod'].join('.'))).toBe(true)
  })

  it('locks no download address', () => {
    expect(JSON.stringify(lock)).not.toContain('"resolved":"http')
  })

  // A registry that lacks a platform's package makes npm leave it out without a word; `npm ci` then fails everywhere.
  it('locks the binaries of every platform', () => {
    const missing = Object.values(lock.packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies).filter((name) => !lock.packages[`node_modules/${name}`]?.version),
    )
    expect(missing).toEqual([])
  })
})

interface Lock {
  packages: Record<string, { version?: string; optionalDependencies?: Record<string, string> }>
}
