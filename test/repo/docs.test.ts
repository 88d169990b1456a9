import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERRORS } from 'obverse'
import { describe, expect, test } from 'vitest'
import { root } from './root.ts'

const pages = ['README.md', 'CONTRIBUTING.md', ...markdown('docs')]

function markdown(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? markdown(`${folder}/${entry.name}`)
      : entry.name.endsWith('.md')
        ? [`${folder}/${entry.name}`]
        : [],
  )
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
}

describe('docs', () => {
  test('every code is on the page of errors, with its status, and nothing else is', () => {
    const rows = [...read('docs/reference/errors.md').matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)]
    const listed = Object.fromEntries(rows.map(([, code, status]) => [code, Number(status)]))
    expect(listed).toEqual(Object.fromEntries(Object.entries(ERRORS).map(([code, { status }]) => [code, status])))
  })

  test('every code is used', () => {
    const text = sources('src')
      .filter((path) => !path.endsWith('src/errors.ts'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n')
    const thrown = read('src/errors.ts').replace(/[\s\S]*export class ObverseError/, '')
    const unused = Object.keys(ERRORS).filter((code) => !`${text}${thrown}`.includes(`'${code}'`))
    expect(unused).toEqual([])
  })

  test.each(pages)('%s names only files that exist', (page) => {
    const paths = [...read(page).matchAll(/`((?:src|apps|test|docs|bench|scripts|examples)\/[\w./-]*[\w/])`/g)]
    const missing = paths.map(([, path]) => path as string).filter((path) => !existsSync(join(root, path)))
    expect(missing).toEqual([])
  })

  test.each(pages)('%s links to pages that exist', (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) => link as string)
    const missing = links.filter((link) => !existsSync(join(root, page, '..', link)))
    expect(missing).toEqual([])
  })

  test('the page of ports names every port file and every adapter that has it', () => {
    const page = read('docs/reference/ports.md')
    const ports = sources('src').filter((path) =>
      /^\/\*\* PORT|^ \* PORT|^\/\*\*\n \* PORT/m.test(readFileSync(path, 'utf8')),
    )
    const named = (path: string) => page.includes(path.slice(root.length).replace(/^\//, ''))
    expect(ports.filter((path) => !named(path) && !path.endsWith('read/parking.ts'))).toEqual([])
  })
})
