import { givenServer, hidden } from './given.ts'
import { install } from './install.ts'
import { ServerMissing } from './missing.ts'
import { NAMES, type ServerName } from './name.ts'
import type { ServerRecord, Way } from './record.ts'
import type { ServerSet } from './set.ts'
import { findWay } from './ways.ts'

/** One server as the command reports it; `url` and what follows is there when it is or was had. */
export interface Report {
  readonly name: ServerName
  readonly state: 'up' | 'down' | 'missing'
  readonly why?: string
  readonly kind?: string
  readonly url?: string
  readonly management?: string
  readonly version?: string
  readonly what?: 'server' | 'stand-in'
  readonly way?: Way
  readonly from?: string
  readonly startedIn?: number
}

/** Starts what does not run, all at once. Never rejects because of one server: the others are of use without it. */
export async function bringUp(
  set: ServerSet,
  names: readonly ServerName[],
  options: { readonly install: boolean },
): Promise<Report[]> {
  if (options.install) await install((await Promise.all(names.map(lacking))).flat())
  return Promise.all(
    names.map((name) => attempt(name, async () => (await givenServer(name)) ?? (await set.up(name)).record)),
  )
}

async function lacking(name: ServerName): Promise<ServerName[]> {
  if (process.env[NAMES[name].variable ?? '']) return []
  return findWay(name).then(
    () => [],
    () => [name],
  )
}

/** The servers that are named, or all that there are. */
export async function look(set: ServerSet, names: readonly ServerName[]): Promise<Report[]> {
  const instances = set.instances()
  const there = (Object.keys(NAMES) as ServerName[]).filter(
    (name) => instances.has(name) || process.env[NAMES[name].variable ?? ''],
  )
  return Promise.all(
    (names.length > 0 ? names : there).map((name) =>
      attempt(name, async () => {
        const instance = instances.get(name)
        return (await givenServer(name)) ?? (instance && (await instance.isUp()) ? instance.record : undefined)
      }),
    ),
  )
}

async function attempt(name: ServerName, find: () => Promise<ServerRecord | undefined>): Promise<Report> {
  try {
    const record = await find()
    if (!record) return { name, state: 'down', why: `\`npm run servers -- up ${name}\` starts it` }
    const { kind, url, management, version, what, way, from, startedIn } = record
    return { name, state: 'up', kind, url, ...(management && { management }), version, what, way, from, startedIn }
  } catch (error) {
    return { name, state: error instanceof ServerMissing ? 'missing' : 'down', why: (error as Error).message }
  }
}

/** A line for people. */
export function line(report: Report): string {
  const { name, state, why, url = '', management, version, what, way, from, startedIn = 0 } = report
  if (state !== 'up') return `${name.padEnd(10)} ${state}: ${why}`
  const shown = way === 'url' ? hidden(url) : [url, management].filter(Boolean).join(' ')
  const title = NAMES[name].title.split(' ')[0]
  const time = way === 'url' ? '' : `, up in ${(startedIn / 1000).toFixed(1)} s`
  return `${name.padEnd(10)} ${shown}  ${title} ${version}, ${what} (${from})${time}`
}
