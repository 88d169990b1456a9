// What is published is what users get: the tarball, installed elsewhere, without this repository around it.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { entries, filesInGit, manifest, root, run } from './root.ts'

const MB = 1024 * 1024
const SLOW = 300_000 // a registry may be far away

const folder = mkdtempSync(join(tmpdir(), 'package-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** npm in a folder of its own: the npm that runs the tests says through the environment where *its* package is. */
function npm(cwd: string, ...args: string[]): string {
  const own = /^npm_(package|lifecycle|command|config_(local_prefix|conditions))/
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)))
  const cli = process.env.npm_execpath
  return cli?.endsWith('.js') ? run(process.execPath, [cli, ...args], cwd, env) : run('npm', args, cwd, env)
}

function node(cwd: string, ...args: string[]): string {
  const { NODE_OPTIONS: _, ...env } = process.env
  return run(process.execPath, args, cwd, env)
}

function project(name: string, ...packages: string[]): string {
  const path = join(folder, name)
  mkdirSync(path)
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }))
  npm(path, 'install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', ...packages)
  return path
}

const importing = (names: string[]): string =>
  `${names.map((name, i) => `import * as entry${i} from '${name}'`).join('\n')}
for (const entry of [${names.map((_, i) => `entry${i}`).join(', ')}]) console.log(Object.keys(entry).length)\n`

const locked = (name: string): string => `${name}@${manifest.devDependencies[name]}`
const names = entries.map(([name]) => name)
const peers = Object.keys(manifest.peerDependencies)
/** Entries that are not called like their driver. */
const drivers: Readonly<Record<string, string>> = { rabbitmq: 'amqplib', postgres: 'pg' }
const driverOf = (entry: string): string => {
  const name = entry.slice(entry.lastIndexOf('/') + 1)
  return drivers[name] ?? name
}

interface Packed {
  filename: string
  files: { path: string; size: number }[]
}

describe('the published package', () => {
  let packed: Packed
  let tarball: string

  beforeAll(() => {
    // packed from a copy: a build in place would pull dist/ from under whoever uses it meanwhile
    const copy = join(folder, 'copy')
    for (const file of filesInGit('src', 'scripts', '*.json', '*.md', 'LICENSE')) {
      if (!existsSync(join(root, file))) continue
      mkdirSync(join(copy, dirname(file)), { recursive: true })
      cpSync(join(root, file), join(copy, file))
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    const printed = npm(copy, 'pack', '--json', '--loglevel=error', '--pack-destination', folder)
    // what prepack prints comes before the JSON
    packed = JSON.parse(printed.slice(printed.search(/^\[/m)))[0]
    tarball = join(folder, packed.filename)
  }, SLOW)

  it('is built by packing, and is small', () => {
    const paths = packed.files.map(({ path }) => path)
    for (const [, { types, default: built }] of entries) {
      expect(paths).toEqual(expect.arrayContaining([types, built].map((path) => path.replace('./', ''))))
    }
    // whoever stays embedded carries adapters of servers and the contracts too: those have a bound of their own
    const parts = /^dist\/(?:adapters\/(postgres|rabbitmq|mongodb)|testing\/(conformance))\//
    const sizes = Map.groupBy(packed.files, ({ path }) => parts.exec(path)?.slice(1).find(Boolean))
    const sizeOf = (part: string | undefined) => (sizes.get(part) ?? []).reduce((sum, { size }) => sum + size, 0)
    expect(sizeOf(undefined)).toBeLessThan(MB)
    for (const part of ['postgres', 'rabbitmq', 'mongodb', 'conformance']) expect(sizeOf(part)).toBeLessThan(MB / 3)
  })

  it('holds nothing but dist and its papers', () => {
    const papers = ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE']
    expect(packed.files.filter(({ path }) => !path.startsWith('dist/') && !papers.includes(path))).toEqual([])
  })

  it('has no dependencies', () => expect(manifest.dependencies ?? {}).toEqual({}))

  describe('installed alone', () => {
    let path: string
    beforeAll(() => {
      path = project('alone', tarball)
    }, SLOW)

    it('brings nothing with it', () => {
      const installed = readdirSync(join(path, 'node_modules')).filter((name) => !name.startsWith('.'))
      expect(installed).toEqual([manifest.name])
    })

    it('imports every entry that needs no driver', () => {
      const driverless = names.filter((name) => !peers.includes(driverOf(name)))
      writeFileSync(join(path, 'alone.js'), importing(driverless))
      expect(node(path, 'alone.js').trim().split('\n')).toHaveLength(driverless.length)
    })

    it('has a command line', () => {
      expect(npm(path, 'exec', '--offline', '--', 'obverse', '--help')).toContain('obverse')
    })
  })

  describe('installed with its drivers', () => {
    let path: string
    beforeAll(() => {
      path = project('consumer', tarball, ...['typescript', 'zod', '@types/node', '@types/pg', ...peers].map(locked))
    }, SLOW)

    it('imports every entry', () => {
      writeFileSync(join(path, 'all.js'), importing(names))
      expect(node(path, 'all.js').trim().split('\n')).toHaveLength(names.length)
    })

    it(
      'type-checks, declarations included',
      () => {
        writeFileSync(
          join(path, 'consumer.ts'),
          `import { z } from 'zod'\n${importing(names)}console.log(z.string())\n`,
        )
        const compilerOptions = {
          strict: true,
          target: 'es2025',
          lib: ['es2025', 'esnext.disposable'],
          module: 'nodenext',
          types: ['node'],
          noEmit: true,
          skipLibCheck: false,
        }
        writeFileSync(join(path, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
        node(path, 'node_modules/typescript/bin/tsc', '-p', '.')
      },
      SLOW,
    )
  })
})
