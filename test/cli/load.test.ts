import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadApp } from '../../src/cli/load.ts'

const folder = mkdtempSync(join(tmpdir(), 'obverse-load-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const APP = 'send() {}, describe() {}, operate: {}'
let files = 0

function module(source: string): string {
  files += 1
  const name = `app-${files}.mjs`
  writeFileSync(join(folder, name), source)
  return name
}

const load = (file: string | undefined, cwd: string = folder) => loadApp(file, cwd, { NAME: 'from the environment' })

describe('the application of a command line', () => {
  it('is made by the default export, from the environment', async () => {
    const file = module(`export default (env) => ({ name: env.NAME, ${APP} })`)
    expect((await load(file)).name).toBe('from the environment')
  })

  it('is found from the package.json above that names one', async () => {
    const project = join(folder, 'project')
    mkdirSync(join(project, 'packages/one/src'), { recursive: true })
    writeFileSync(join(project, 'app.mjs'), `export default () => ({ name: 'found', ${APP} })`)
    writeFileSync(join(project, 'package.json'), '{"obverse":{"app":"./app.mjs"}}')
    writeFileSync(join(project, 'packages/one/package.json'), '{}')
    expect((await load(undefined, join(project, 'packages/one/src'))).name).toBe('found')
  })

  it.each([
    ['no file', () => 'nope.ts', 'USAGE', /There is no file .*nope\.ts, which --app names/],
    ['a folder', () => '.', 'USAGE', /There is no file/],
    [
      'no default export',
      () => module('export const app = 1'),
      'CONFIGURATION_INVALID',
      /has no default export; write export default/,
    ],
    [
      'an application',
      () => module(`export default { ${APP} }`),
      'CONFIGURATION_INVALID',
      /exports an application, not a function/,
    ],
    ['a text', () => module('export default "x"'), 'CONFIGURATION_INVALID', /exports a string as default/],
    [
      'a factory of something else',
      () => module('export default () => ({})'),
      'CONFIGURATION_INVALID',
      /returned an object \(Object\), not an application/,
    ],
    [
      'a module that throws',
      () => module('throw new Error("no such host")'),
      'CONFIGURATION_INVALID',
      /threw while it was loaded/,
    ],
    [
      'a module that does not parse',
      () => module('export default ('),
      'CONFIGURATION_INVALID',
      /threw while it was loaded/,
    ],
    [
      'a factory that throws',
      () => module('export default () => { throw new Error("DATA_DIR is missing") }'),
      'CONFIGURATION_INVALID',
      /The default export of .* threw/,
    ],
  ])('is not %s', async (_, file, code, message) => {
    await expect(load(file())).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('keeps the cause, and our own errors as they are', async () => {
    await expect(load(module('throw new Error("no such host")'))).rejects.toMatchObject({
      cause: { message: 'no such host' },
    })
    const own = 'throw Object.assign(new Error("twice"), { name: "ObverseError", code: "HANDLER_DUPLICATE" })'
    await expect(load(module(own))).rejects.toMatchObject({ code: 'HANDLER_DUPLICATE', message: 'twice' })
  })

  it('has to be named', async () => {
    await expect(load(undefined)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('--app FILE'),
    })
    const broken = join(folder, 'broken')
    mkdirSync(broken)
    writeFileSync(join(broken, 'package.json'), '{')
    await expect(load(undefined, broken)).rejects.toMatchObject({ message: expect.stringContaining('is not JSON') })
    writeFileSync(join(broken, 'package.json'), '{"obverse":{"app":7}}')
    await expect(load(undefined, broken)).rejects.toMatchObject({ message: expect.stringContaining('is a number') })
  })
})
