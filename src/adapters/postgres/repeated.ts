import { hash } from 'node:crypto'
import type { ClientBase } from 'pg'

/** Texts of an application that one connection has prepared, at most, and those that it remembers to have run once. */
const PREPARED = 100
const ONCE = 500
/** Characters of a text that is worth remembering. */
const LONGEST = 10_000

interface Texts {
  readonly names: Map<string, string>
  readonly once: Set<string>
}

const known = new WeakMap<ClientBase, Texts>()

/**
 * The name under which a statement that repeats itself is prepared on this connection; `undefined`: it is sent as a text. Only
 * those that return nothing: an answer that is prepared keeps its columns, whatever becomes of the table.
 */
export function preparedName(client: ClientBase, sql: string): string | undefined {
  if (sql.length > LONGEST || !/^\s*(?:insert|update|delete)\b/i.test(sql) || /\breturning\b/i.test(sql))
    return undefined
  let texts = known.get(client)
  if (!texts) {
    texts = { names: new Map(), once: new Set() }
    known.set(client, texts)
  }
  const { names, once } = texts
  const name = names.get(sql)
  if (name !== undefined || names.size >= PREPARED) return name
  if (once.delete(sql)) {
    const made = `obverse.app-${hash('sha256', sql, 'base64url').slice(0, 22)}`
    names.set(sql, made)
    return made
  }
  if (once.size >= ONCE) once.clear()
  once.add(sql)
  return undefined
}
