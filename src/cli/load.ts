import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type App, isObverseError, ObverseError } from 'obverse'

const EXPECTED = 'export default (env) => createApp({ … })'

/**
 * Makes the application that the command line is about: `--app FILE`, else the `obverse.app` field of the nearest
 * package.json that has one. Its module's default export is `(env) => App`.
 *
 * @throws {ObverseError} `USAGE` when none is named, `CONFIGURATION_INVALID` when it cannot be used
 */
export async function loadApp(flag: string | undefined, cwd: string, env: NodeJS.ProcessEnv): Promise<App> {
  const file = flag === undefined ? fileOfPackage(cwd) : existing(resolve(cwd, flag), '--app')
  let make: unknown
  try {
    const loaded: { default?: unknown } = await import(pathToFileURL(file).href)
    make = loaded.default
  } catch (cause) {
    throw failure(cause, `${file} threw while it was loaded`)
  }
  if (typeof make !== 'function') throw notAFactory(file, make)
  let app: unknown
  try {
    app = await make(env)
  } catch (cause) {
    throw failure(cause, `The default export of ${file} threw`)
  }
  if (isApp(app)) return app
  throw new ObverseError(
    'CONFIGURATION_INVALID',
    `The default export of ${file} returned ${nameOf(app)}, not an application; write ${EXPECTED}`,
  )
}

function fileOfPackage(cwd: string): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    const app = existsSync(manifest) ? appField(manifest) : undefined
    if (app !== undefined) return existing(resolve(folder, app), `obverse.app of ${manifest}`)
    if (dirname(folder) === folder) break
  }
  throw new ObverseError(
    'USAGE',
    'No application is named; give --app FILE, or put "obverse": { "app": "FILE" } into your package.json',
  )
}

function appField(manifest: string): string | undefined {
  let content: { obverse?: { app?: unknown } } | null
  try {
    content = JSON.parse(readFileSync(manifest, 'utf8'))
  } catch (cause) {
    throw new ObverseError('CONFIGURATION_INVALID', `${manifest} is not JSON; mend it, or give --app FILE`, { cause })
  }
  const app = content?.obverse?.app
  if (app === undefined || typeof app === 'string') return app
  throw new ObverseError('CONFIGURATION_INVALID', `obverse.app of ${manifest} is ${nameOf(app)}; give a path`)
}

function existing(file: string, named: string): string {
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file
  throw new ObverseError('USAGE', `There is no file ${file}, which ${named} names; give the application's module`)
}

/** Our own errors say what to do already; of others the message is kept as the cause. */
function failure(cause: unknown, what: string): ObverseError {
  if (isObverseError(cause)) return cause
  return new ObverseError('CONFIGURATION_INVALID', `${what}; mend it, it must start nothing by being imported`, {
    cause,
  })
}

function notAFactory(file: string, found: unknown): ObverseError {
  const what =
    found === undefined
      ? 'has no default export'
      : isApp(found)
        ? 'exports an application, not a function that makes one,'
        : `exports ${nameOf(found)} as default`
  return new ObverseError('CONFIGURATION_INVALID', `${file} ${what}; write ${EXPECTED}`)
}

function isApp(value: unknown): value is App {
  const app = value as Partial<App> | null | undefined
  return typeof app?.send === 'function' && typeof app.describe === 'function' && typeof app.operate === 'object'
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  return typeof value === 'object' ? `an object (${value.constructor?.name ?? 'no class'})` : `a ${typeof value}`
}
