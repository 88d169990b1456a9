import fc from 'fast-check'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** A schema of the OpenAPI document, as far as its values are made here. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly const?: Json
  readonly enum?: readonly Json[]
  readonly format?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

const MOST_ITEMS = 4

/** Values that the schema allows. */
export function valuesOf(schema: Schema, components: Readonly<Record<string, Schema>>): fc.Arbitrary<Json> {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
    const found = components[name]
    if (!found) throw new Error(`The document has no schema ${name}`)
    return valuesOf(found, components)
  }
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  switch (schema.type) {
    case 'object':
      return objectOf(schema, components)
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}, components), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.max(schema.minItems ?? 0, MOST_ITEMS),
      })
    case 'integer':
      return fc.oneof(
        fc.integer({ min: schema.minimum ?? -5, max: Math.min(schema.maximum ?? 100, 100) }),
        fc.constantFrom(schema.minimum ?? 0, schema.maximum ?? 1_000_000),
      )
    case 'number':
      return fc.integer({ min: 0, max: 1_000_000 }).map((cents) => cents / 100)
    case 'boolean':
      return fc.boolean()
    case 'string':
      return textOf(schema)
    default:
      return fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>
  }
}

function objectOf({ properties = {}, required = [] }: Schema, components: Readonly<Record<string, Schema>>) {
  const fields = Object.entries(properties).map(([name, one]) => {
    const value = valuesOf(one, components)
    const rare = fc.oneof({ arbitrary: fc.constant(undefined), weight: 2 }, { arbitrary: value, weight: 1 })
    return [name, required.includes(name) ? value : rare] as const
  })
  // what is undefined is left out of the JSON
  return fc.record(Object.fromEntries(fields)) as fc.Arbitrary<Json>
}

function textOf({ format, minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<string> {
  if (format === 'email') return fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/).map((name) => `${name}@example.com`)
  if (format === 'uuid') return fc.uuid()
  return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 40) })
}
