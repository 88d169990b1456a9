import { ObverseError } from '../errors.ts'

/** Deepest nesting of a row; what is deeper is a mistake or an attack, and no store likes it. */
const DEPTH = 64

type Plain = Record<string, unknown>

/**
 * A copy of `value` as a store keeps it: JSON values only, fields that are undefined left out. Nested data is not
 * copied: rows replace it as a whole. `what` begins the error text.
 *
 * @throws {ObverseError} `PERMANENT` naming the field: what cannot be stored now never can
 */
export function rowData(value: unknown, what: () => string): Plain {
  if (isPlain(value) && isClean(value, 0)) return { ...value }
  return cleaned(value, what, '', 0) as Plain
}

/** Nothing to leave out and nothing to refuse: nearly always, so it is asked first and cheaply. */
function isClean(value: unknown, depth: number): boolean {
  if (isSimple(value)) return true
  if (depth > DEPTH) return false
  if (Array.isArray(value)) {
    for (const item of value) if (!isClean(item, depth + 1)) return false
    return true
  }
  if (!isPlain(value)) return false
  for (const name in value) if (!isClean(value[name], depth + 1)) return false
  return true
}

function cleaned(value: unknown, what: () => string, path: string, depth: number): unknown {
  if (isSimple(value) && depth > 0) return value
  if (depth > DEPTH) throw permanent(`${what()} nests deeper than ${DEPTH} levels at ${path.slice(0, 60)}; flatten it`)
  if (Array.isArray(value) && depth > 0) {
    return Array.from(value, (item, at) => cleaned(item, what, `${path}[${at}]`, depth + 1))
  }
  if (!isPlain(value)) throw bad(what(), path, value)
  const copy: Plain = {}
  for (const name of Object.keys(value)) {
    const field = value[name]
    if (field === undefined) continue
    const kept = cleaned(field, what, path ? `${path}.${name}` : name, depth + 1)
    // assignment to `__proto__` would set the prototype and lose the field
    Object.defineProperty(copy, name, { value: kept, enumerable: true, configurable: true, writable: true })
  }
  return copy
}

function isSimple(value: unknown): value is string | number | boolean | null {
  const type = typeof value
  return type === 'string' || type === 'boolean' || value === null || (type === 'number' && Number.isFinite(value))
}

function isPlain(value: unknown): value is Plain {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function bad(what: string, path: string, value: unknown): ObverseError {
  const is =
    typeof value === 'object' && value !== null ? `a ${value.constructor?.name ?? 'object'}` : `${String(value)}`
  const where = path ? `${what} has in ${path} ${is}` : `${what} is ${is}`
  return permanent(`${where}; rows hold JSON values only (a Date as its ISO text, a bigint as text)`)
}

function permanent(message: string): ObverseError {
  return new ObverseError('PERMANENT', message)
}
