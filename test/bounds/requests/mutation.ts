import fc from 'fast-check'
import type { Json } from './schema.ts'

/** Names that mean something to JavaScript. */
export const MEMBERS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '$ref',
  '$where',
] as const

const HUGE = [10_000, 300_000, 1_100_000] as const
const DEEP = [31, 33, 1_000, 50_000] as const

/** What stands where something else belongs. */
const strange: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false, 0, -1, 1.5, 1e308, -1e308, 2 ** 53, 1e-9, '', ' ', [], {}, [null], [[]]),
  fc.constantFrom<Json>(
    '\0',
    'a\0b',
    '\ud800',
    '\udc00x',
    '\u202e',
    '\ufeff',
    '1',
    'null',
    "' OR 1=1 --",

    '../',
  ),
  fc.constantFrom<Json>(
    -0.001,
    0.005,
    999_999_999.999,
    1_000_000_001,
    '2026-02-30',
    '00000000-0000-0000-0000-000000000000',
  ),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>,
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

/** Rare, for each costs what it is long. */
const huge: fc.Arbitrary<Json> = fc.constantFrom(...HUGE).map((length) => 'x'.repeat(length))

/** Deeper than a parser may follow; as text, because what makes values of it would not either. */
export const deepText: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...DEEP), fc.boolean())
  .map(([depth, arrays]) =>
    arrays ? `${'['.repeat(depth)}${']'.repeat(depth)}` : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
  )

/** The value with one or two things about it changed, anywhere in it. */
export function mutated(value: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  const change = fc.record({
    where: fc.array(fc.nat({ max: 20 }), { maxLength: 3 }),
    how: fc.constantFrom('replace', 'replace', 'remove', 'add', 'double'),
    name: fc.oneof(fc.constantFrom<string>(...MEMBERS), fc.stringMatching(/^[a-z_]{1,12}$/)),
    what: fc.oneof({ arbitrary: strange, weight: 60 }, { arbitrary: huge, weight: 1 }),
  })
  return fc
    .tuple(value, fc.array(change, { minLength: 1, maxLength: 2 }))
    .map(([whole, changes]) => changes.reduce<Json>((now, { where, ...rest }) => changedAt(now, where, rest), whole))
}

interface Change {
  readonly how: string
  readonly name: string
  readonly what: Json
}

function changedAt(value: Json, where: readonly number[], change: Change): Json {
  const [here, ...rest] = where
  if (typeof value !== 'object' || value === null) return change.what
  // own fields only, and also those that an object literal would take for its prototype
  const entries: [string | number, Json][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  if (here === undefined || entries.length === 0)
    return change.how === 'add' ? added(value, entries, change) : change.what
  const at = here % entries.length
  const [name, inner] = entries[at] as [string | number, Json]
  const next = rest.length > 0 ? changedAt(inner, rest, change) : change.what
  if (rest.length === 0 && change.how === 'add') return added(value, entries, change)
  if (rest.length === 0 && change.how === 'remove') entries.splice(at, 1)
  else if (rest.length === 0 && change.how === 'double') entries.push([name, inner])
  else entries[at] = [name, next]
  return made(value, entries)
}

function added(value: Json, entries: readonly [string | number, Json][], { name, what }: Change): Json {
  return made(value, [...entries, [name, what]])
}

function made(like: Json, entries: readonly [string | number, Json][]): Json {
  return Array.isArray(like) ? entries.map(([, inner]) => inner) : (Object.fromEntries(entries) as Json)
}
