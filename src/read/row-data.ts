import { ObverseError } from '../errors.ts'

/** Deepest nesting of a row; what is deeper is a mistake or an attack, and no store likes it. */
const DEPTH = 64

/**
 * Data as a store keeps it: JSON values only, fields that are undefined left out. `what` begins the error text.
 *
 * @throws {ObverseError} `PERMANENT` naming the field: what cannot be stored now never can
 */
export function rowData(value: unknown, what: string): Record<string, unknown> {
  if (!isPlain(value)) throw bad(what, '', value)
  const copy: Record<string, unknown> = {}
  for (const name in value) {
    const field = value[name]
    if (field === undefined) continue
    define(copy, name, isSimple(field) ? field : nested(field, what, name, 1))
  }
  return copy
}

/** The same value where nothing is to be left out; nested data is replaced as a whole and never changed in place. */
function nested(value: unknown, what: string, path: string, depth: number): unknown {
  if (isSimple(value)) return value
  if (depth > DEPTH)
    throw permanentError(`${what} nests deeper than ${DEPTH} levels at ${path.slice(0, 60)}; flatten it`)
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) {
      if (nested(value[i], what, `${path}[${i}]`, depth + 1) !== value[i]) {
        return value.map((item, at) => nested(item, what, `${path}[${at}]`, depth + 1))
      }
    }
    return value
  }
  if (!isPlain(value)) throw bad(what, path, value)
  let changed = false
  const copy: Record<string, unknown> = {}
  for (const name in value) {
    const field = value[name]
    const kept = field === undefined ? undefined : nested(field, what, `${path}.${name}`, depth + 1)
    if (kept !== field || field === undefined) changed = true
    if (kept !== undefined) define(copy, name, kept)
  }
  return changed ? copy : value
}

function isSimple(value: unknown): value is string | number | boolean | null {
  const type = typeof value
  return type === 'string' || type === 'boolean' || value === null || (type === 'number' && Number.isFinite(value))
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Assignment to `__proto__` would set the prototype and lose the field. */
function define(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
  } else {
    target[name] = value
  }
}

function bad(what: string, path: string, value: unknown): ObverseError {
  const is =
    typeof value === 'object' && value !== null ? `a ${value.constructor?.name ?? 'object'}` : `${String(value)}`
  const where = path ? `${what} has in ${path} ${is}` : `${what} is ${is}`
  return permanentError(`${where}; rows hold JSON values only (a Date as its ISO text, a bigint as text)`)
}

function permanentError(message: string): ObverseError {
  return new ObverseError('PERMANENT', message)
}
