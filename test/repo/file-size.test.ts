import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesInGit, root } from './root.ts'

const MEDIAN = 100
const CEILING = 400

// file -> why it is longer than the ceiling
const exceptions: Record<string, string> = {}

const sizes = filesInGit('src/*.ts', 'apps/*.ts').map((file) => ({
  file,
  lines: readFileSync(join(root, file), 'utf8').split('\n').length - 1,
}))

describe('file size', () => {
  it('sees the files', () => expect(sizes.length).toBeGreaterThan(0))

  it(`has a median under ${MEDIAN} lines`, () => {
    const lines = sizes.map((size) => size.lines).sort((a, b) => a - b)
    expect(lines[Math.floor(lines.length / 2)]).toBeLessThan(MEDIAN)
  })

  it(`is never over ${CEILING} lines without a reason`, () => {
    expect(sizes.filter(({ file, lines }) => lines > CEILING && !exceptions[file])).toEqual([])
  })

  it('has no exception that is not needed', () => {
    const long = sizes.filter(({ lines }) => lines > CEILING).map(({ file }) => file)
    expect(Object.keys(exceptions).filter((file) => !long.includes(file))).toEqual([])
  })
})
