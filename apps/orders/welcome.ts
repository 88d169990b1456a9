import type { App } from 'obverse'
import { BANNER } from './http.ts'
import { hasApi, partsOf, type Role } from './roles.ts'
import { SAMPLE } from './sample.ts'

export interface Standing {
  readonly app: App
  readonly role: Role
  readonly url: string
  /** The folder of the data file; undefined on servers. */
  readonly place: string | undefined
  readonly dependencies: Awaited<ReturnType<App['operate']['health']>>
}

/** What a process prints once it is up: where it is, what it does, what to try. */
export function welcome({ app, role, url, place, dependencies }: Standing): string {
  const lines = ['', BANNER, '', ...(place === undefined ? servers(dependencies) : [`  data      ${place}`])]
  if (hasApi(role)) lines.push(`  API       ${url}`, `  docs      ${url}/docs`)
  if (partsOf(role)?.relay) lines.push('  relay     started')
  if (partsOf(role)?.consume) lines.push(...consumers(app))
  if (hasApi(role)) lines.push(...tryThis(url, place === undefined ? ' --on servers' : ''))
  return [...lines, '', 'Ready. Ctrl-C stops it.', ''].join('\n')
}

/** One that is down is looked for again and again; what needs it waits meanwhile. */
function servers(dependencies: Standing['dependencies']): readonly string[] {
  return dependencies.map(({ ok, detail }, at) => {
    return `  ${(at === 0 ? 'servers' : '').padEnd(10)}${ok ? '' : 'DOWN: '}${detail}`
  })
}

/** Which queue is listened to, for which events. */
function consumers(app: App): readonly string[] {
  const { channels, handlers, projections } = app.describe()
  return [
    '  consumer  started',
    ...channels.map(({ name }) => {
      const events = [
        ...handlers.filter(({ channel }) => channel === name).map(({ type }) => type),
        ...projections.filter(({ feed }) => feed === `channel ${name}`).flatMap(({ types }) => types),
      ]
      return `            listening on ${name} for ${[...new Set(events)].join(', ')}`
    }),
  ]
}

function tryThis(url: string, where: string): readonly string[] {
  return [
    '',
    'Try:',
    '',
    `  curl -i ${url}/orders -H 'content-type: application/json' -d '${JSON.stringify(SAMPLE)}'`,
    `  curl ${url}/orders`,
    `  npm run orders -- queue status${where}`,
  ]
}
