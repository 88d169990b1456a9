import type { App } from 'obverse'
import { BANNER } from './http.ts'
import { hasApi, partsOf, type Role } from './roles.ts'
import { SAMPLE } from './sample.ts'

/** What a process prints once it is up: where it is, what it does, what to try. */
export function welcome(app: App, role: Role, url: string, data: string): string {
  const lines = ['', BANNER, '', `  data      ${data}`]
  if (hasApi(role)) lines.push(`  API       ${url}`, `  docs      ${url}/docs`)
  if (partsOf(role)?.relay) lines.push('  relay     started')
  if (partsOf(role)?.consume) lines.push(...consumers(app))
  if (hasApi(role)) lines.push(...tryThis(url))
  return [...lines, '', 'Ready. Ctrl-C stops it.', ''].join('\n')
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

function tryThis(url: string): readonly string[] {
  return [
    '',
    'Try:',
    '',
    `  curl -i ${url}/orders -H 'content-type: application/json' -d '${JSON.stringify(SAMPLE)}'`,
    `  curl ${url}/orders`,
    '  npm run orders -- queue status',
  ]
}
