import { type FieldErrors, ObverseError } from '../errors.ts'

/**
 * The structural type of a Standard Schema (zod, valibot, arktype, …), declared here so that no validator is a
 * dependency. Assignable both ways with `@standard-schema/spec` 1.x (tested).
 */
export interface Schema<I = unknown, O = I> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<O> | Promise<SchemaResult<O>>
    readonly types?: { readonly input: I; readonly output: O } | undefined
  }
}

export type SchemaResult<O> = { readonly value: O; readonly issues?: undefined } | { readonly issues: readonly Issue[] }

export interface Issue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
  /** zod names the fields that do not belong here; they are reported under their own names. */
  readonly keys?: readonly string[]
}

// biome-ignore lint/suspicious/noExplicitAny: a schema of anything, for inference
export type AnySchema = Schema<any, any>
export type InputOf<S extends AnySchema> = NonNullable<S['~standard']['types']>['input']
export type OutputOf<S extends AnySchema> = NonNullable<S['~standard']['types']>['output']

const UNCHECKED = 'obverse-unchecked'

/**
 * A schema that checks nothing, for messages that never cross a border or were checked before. Costs nothing:
 * the bus skips it.
 *
 * @example
 * const Tick = command('clock.tick', unchecked<{ at: number }>())
 */
export function unchecked<T>(): Schema<T, T> {
  return { '~standard': { version: 1, vendor: UNCHECKED, validate: (value) => ({ value: value as T }) } }
}

/** True when `schema` checks nothing, so that a caller may skip it. */
export function isUnchecked(schema: AnySchema): boolean {
  return schema['~standard'].vendor === UNCHECKED
}

/**
 * Checks `value` and returns what the schema makes of it. Synchronous when the schema is.
 *
 * @throws {ObverseError} `VALIDATION_FAILED` with one entry in `fields` for every field that does not fit
 */
export function parse<O>(schema: Schema<unknown, O>, value: unknown, what: string): O | Promise<O> {
  const result = schema['~standard'].validate(value)
  return result instanceof Promise ? result.then((r) => accept(r, what)) : accept(result, what)
}

function accept<O>(result: SchemaResult<O>, what: string): O {
  if (!result.issues) return result.value
  const fields = fieldErrors(result.issues)
  const names = Object.keys(fields)
  const first = names[0] === undefined ? 'the data' : names[0] || 'the data'
  throw new ObverseError(
    'VALIDATION_FAILED',
    `${what} has ${names.length} bad field${names.length === 1 ? '' : 's'}; ${first}: ${fields[names[0] ?? '']?.[0]}`,
    { fields },
  )
}

/** Issues of a schema, by path of the field: `items[0].quantity`. An issue of the whole is under the empty path. */
export function fieldErrors(issues: readonly Issue[]): FieldErrors {
  // no prototype: a client may well send a field named `constructor` or `__proto__`
  const fields: Record<string, string[]> = Object.create(null)
  for (const issue of issues) {
    const base = fieldPath(issue.path ?? [])
    const paths = issue.keys?.length ? issue.keys.map((key) => (base ? `${base}.${key}` : key)) : [base]
    for (const path of paths) {
      fields[path] ??= []
      fields[path].push(issue.message)
    }
  }
  return fields
}

function fieldPath(path: NonNullable<Issue['path']>): string {
  let text = ''
  for (const step of path) {
    const key = typeof step === 'object' ? step.key : step
    text += typeof key === 'number' ? `[${key}]` : text ? `.${String(key)}` : String(key)
  }
  return text
}
