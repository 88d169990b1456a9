import { type AnyDefinition, type App, type Kind, ObverseError } from 'obverse'
import { didYouMean } from './did-you-mean.ts'

/** @throws {ObverseError} `USAGE` with the nearest name, when the application has no such projection */
export function checkProjection(app: App, name: string): void {
  const names = app.describe().projections.map((projection) => projection.name)
  if (!names.includes(name)) throw unknown(app, 'projection', name, names)
}

/** Names to which held rows can go: handlers on channels, and projections. */
export function takersOf(app: App): ReadonlySet<string> {
  const { handlers, projections } = app.describe()
  return new Set([...handlers.filter(({ channel }) => channel !== null), ...projections].map(({ name }) => name))
}

/** @throws {ObverseError} `CHANNEL_UNKNOWN` with the nearest name */
export function checkChannel(app: App, name: string): void {
  const names = app.describe().channels.map((channel) => channel.name)
  if (!names.includes(name)) throw unknown(app, 'channel', name, names)
}

/** The definition of a command or a query. @throws {ObverseError} `USAGE` with the nearest type, or the other word */
export function definitionOf(app: App, type: string, kind: 'command' | 'query'): AnyDefinition {
  const found = app.definition(type)
  if (found?.kind === kind) return found
  if (found) throw new ObverseError('USAGE', `${type} is ${ARTICLES[found.kind]}. ${OTHER[found.kind]}`)
  const types = app
    .describe()
    .messages.filter((message) => message.kind === kind)
    .map((message) => message.type)
  throw unknown(app, kind, type, types)
}

const ARTICLES: Record<Kind, string> = { command: 'a command', query: 'a query', event: 'an event' }
const OTHER: Record<Kind, string> = {
  command: 'Use obverse send',
  query: 'Use obverse ask',
  event: 'Events come from commands; a raw message goes in by obverse channels put',
}

function unknown(app: App, what: string, name: string, known: readonly string[]): ObverseError {
  const hint = didYouMean(name, known) || (known.length > 0 ? ` It has ${known.join(', ')}.` : ' It has none.')
  const code = what === 'channel' ? 'CHANNEL_UNKNOWN' : 'USAGE'
  return new ObverseError(code, `${app.name} has no ${what} ${JSON.stringify(name)}.${hint}`)
}
