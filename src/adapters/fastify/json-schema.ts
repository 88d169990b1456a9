import { type AnySchema, isUnchecked } from 'obverse'

/** A JSON Schema (2020-12, the dialect of OpenAPI 3.1), as far as it is looked into here. */
export interface JsonSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly [keyword: string]: unknown
}

/** Which side of a schema: what a caller gives, or what comes out (defaults filled in, texts trimmed). */
export type Side = 'input' | 'output'

/** Makes a JSON Schema where the library does not do it itself; `undefined`: cannot say. */
export type ToJsonSchema = (schema: AnySchema, side: Side) => JsonSchema | undefined

/** What schema libraries offer beside validation (Standard JSON Schema): zod from 4.2, arktype, … */
interface Converts {
  readonly jsonSchema?: Readonly<Record<Side, (options: { readonly target: string }) => JsonSchema>>
}

/** Asks the injected converter, then the schema itself. `{}`, which allows anything, when neither can say. */
export function jsonSchemaOf(schema: AnySchema, side: Side, convert?: ToJsonSchema): JsonSchema {
  if (isUnchecked(schema)) return {}
  const { $schema: _, ...found } = convert?.(schema, side) ?? own(schema, side) ?? {}
  return found
}

function own(schema: AnySchema, side: Side): JsonSchema | undefined {
  try {
    return (schema['~standard'] as Converts).jsonSchema?.[side]({ target: 'draft-2020-12' })
  } catch {
    // a schema with a transformation has no JSON form on its output side
    return undefined
  }
}

/** Moves references that start at the schema's own root to where it will stand in a document. */
export function rebase(schema: JsonSchema, root: string): JsonSchema {
  const walk = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(walk)
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(
      Object.entries(node).map(([key, value]) =>
        key === '$ref' && typeof value === 'string' && value.startsWith('#')
          ? [key, root + value.slice(1)]
          : [key, walk(value)],
      ),
    )
  }
  return walk(schema) as JsonSchema
}
