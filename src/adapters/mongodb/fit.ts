/** Deepest nesting of what is kept as a document; servers allow 100 levels. */
const DEPTH = 80
/** Paths, operators and references of MongoDB, the mark of BSON types, names that JavaScript or BSON treat apart. */
const UNFIT = /^$|^\$|^_bsontype$|^__proto__$|[.\0]/

/** Does a document hold `value` so that exactly the same comes back? False for what is no JSON, too. */
export function fits(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed()
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'boolean':
      return true
    case 'object':
      if (value === null) return true
      if (depth > DEPTH) return false
      return Array.isArray(value) ? itemsFit(value, depth + 1) : fieldsFit(value, depth + 1)
    default:
      return false
  }
}

/** Names that were looked at: rows of a view have the same ones. */
const looked = new Map<string, boolean>()
const MOST = 1_000

export function nameFits(name: string): boolean {
  const known = looked.get(name)
  if (known !== undefined) return known
  const fit = !UNFIT.test(name) && name.isWellFormed()
  // where names are data, remembering them is of no use
  if (looked.size < MOST) looked.set(name, fit)
  return fit
}

function itemsFit(items: readonly unknown[], depth: number): boolean {
  // a hole is an undefined item, which `every` would skip
  for (const item of items) if (!fits(item, depth)) return false
  return true
}

function fieldsFit(value: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  for (const name of Object.keys(value)) {
    if (!nameFits(name) || !fits((value as Record<string, unknown>)[name], depth)) return false
  }
  return true
}
