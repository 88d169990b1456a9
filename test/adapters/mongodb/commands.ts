import { readFileSync } from 'node:fs'
import type { CommandStartedEvent } from 'mongodb'
import { root } from '../../processes.ts'

/** By command: what is sent with it, and the operators in it. */
export type Commands = Readonly<
  Record<string, { readonly fields: readonly string[]; readonly operators: readonly string[] }>
>

/** Added by the driver to whatever is sent. */
const DRIVER = new Set(['$db', 'lsid', '$clusterTime', 'txnNumber', '$readPreference'])

/** The table of docs/reference/mongodb.md. */
export function documentedCommands(): Commands {
  const page = readFileSync(`${root}/docs/reference/mongodb.md`, 'utf8')
  const rows = page.matchAll(/^\| `(\w+)` \|([^|]*)\|([^|]*)\|/gm)
  const names = (cell = '') => [...cell.matchAll(/`([\w$.]+)`/g)].map(([, name]) => name as string).sort()
  return Object.fromEntries(
    [...rows].map(([, command, fields, operators]) => [
      command,
      { fields: names(fields), operators: names(operators) },
    ]),
  )
}

export function sentCommands(events: readonly CommandStartedEvent[]): Commands {
  const all: Record<string, { fields: Set<string>; operators: Set<string> }> = {}
  for (const { commandName, command } of events) {
    all[commandName] ??= { fields: new Set(), operators: new Set() }
    const { fields, operators } = all[commandName]
    for (const [name, value] of Object.entries(command)) {
      if (name === commandName || DRIVER.has(name)) continue
      for (const field of fieldsOf(name, value)) fields.add(field)
      collectOperators(value, operators)
    }
  }
  return Object.fromEntries(
    Object.entries(all).map(([name, { fields, operators }]) => [
      name,
      { fields: [...fields].sort(), operators: [...operators].sort() },
    ]),
  )
}

/** Statements, indexes and concerns have fields of their own. */
function fieldsOf(name: string, value: unknown): string[] {
  const parts = ['updates', 'deletes', 'indexes'].includes(name) ? (value as object[]) : []
  if (name === 'writeConcern' || name === 'readConcern') parts.push(value as object)
  return [name, ...parts.flatMap((part) => Object.keys(part).map((field) => `${name}.${field}`))]
}

function collectOperators(value: unknown, into: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, inner] of Object.entries(value)) {
    if (name.startsWith('$')) into.add(name)
    collectOperators(inner, into)
  }
}
