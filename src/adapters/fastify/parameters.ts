import type { JsonSchema } from './json-schema.ts'

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?$/

/**
 * Gives the texts of a query string the types that the message wants: a field that is a number or a boolean in the
 * schema becomes one if its text says one, and stays a text otherwise, so that the schema refuses it by name.
 */
export function typedParameters(
  texts: Readonly<Record<string, unknown>>,
  schema: JsonSchema,
): Readonly<Record<string, unknown>> {
  const fields = schema.properties ?? {}
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [
      name,
      Object.hasOwn(fields, name) ? typed(text, fields[name] ?? {}) : text,
    ]),
  )
}

function typed(value: unknown, schema: JsonSchema): unknown {
  if (schema.type === 'array') {
    const all = Array.isArray(value) ? value : [value]
    return all.map((one) => typed(one, schema.items ?? {}))
  }
  if (typeof value !== 'string') return value
  if (schema.type === 'integer' || schema.type === 'number') return NUMBER.test(value) ? Number(value) : value
  if (schema.type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value
  return value
}
