import type { AnyDefinition } from 'obverse'
import { BODY_LIMIT } from './body.ts'
import type { Envelope } from './envelope.ts'
import { healthSchema } from './health.ts'
import { type JsonSchema, jsonSchemaOf, rebase, type ToJsonSchema } from './json-schema.ts'
import { parametersOf, type Route } from './routes.ts'

export interface OpenApiInfo {
  /** Default `API`. */
  readonly title?: string
  /** Default `1.0.0`. */
  readonly version?: string
  readonly description?: string
}

export interface OpenApiOptions extends OpenApiInfo {
  readonly envelope: Envelope
  readonly toJsonSchema?: ToJsonSchema
  readonly bodyLimit?: number
  /** Path of the health check, if there is one. */
  readonly health?: string | false
}

type Json = Readonly<Record<string, unknown>>
type Schemas = Record<string, JsonSchema>

const json = (schema: JsonSchema): Json => ({ 'application/json': { schema } })
const component = (kind: string, name: string): { readonly $ref: string } => ({ $ref: `#/components/${kind}/${name}` })

/** An OpenAPI 3.1 document of the routes, from the schemas of their definitions. */
export function openApi(routes: readonly Route[], options: OpenApiOptions): Json {
  const schemas: Schemas = { Failure: options.envelope.failureSchema }
  const paths: Record<string, Record<string, Json>> = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] ??= {}
    paths[path][route.method.toLowerCase()] = operation(route, schemas, options)
  }
  if (options.health) paths[options.health] = { get: healthOperation(options.envelope) }
  return {
    openapi: '3.1.0',
    info: {
      title: options.title ?? 'API',
      version: options.version ?? '1.0.0',
      ...(options.description !== undefined && { description: options.description }),
    },
    paths,
    components: { schemas, parameters: PARAMETERS, headers: HEADERS, responses: failures(options) },
  }
}

function operation(route: Route, schemas: Schemas, options: OpenApiOptions): Json {
  const { definition, options: shape, method } = route
  const isQuery = definition.kind === 'query'
  const names = parametersOf(route.path)
  const input = place(jsonSchemaOf(definition.schema, 'input', options.toJsonSchema), definition.type)
  const rest = without(input, names)
  const parameters: unknown[] = names.map((name) => parameter(name, 'path', true, input.properties?.[name] ?? {}))
  if (isQuery) {
    for (const [name, field] of Object.entries(rest.properties ?? {})) {
      parameters.push(parameter(name, 'query', rest.required?.includes(name) ?? false, field))
    }
  }
  parameters.push(component('parameters', isQuery ? 'ConsistencyToken' : 'IdempotencyKey'))
  const hasBody = !isQuery && method !== 'DELETE'
  if (hasBody) schemas[definition.type] = rest
  return {
    operationId: definition.type,
    ...(shape.summary !== undefined && { summary: shape.summary }),
    ...(shape.description !== undefined && { description: shape.description }),
    ...(shape.tag !== undefined && { tags: [shape.tag] }),
    parameters,
    ...(hasBody && { requestBody: { required: true, content: json(component('schemas', definition.type)) } }),
    responses: responses(route, isQuery, schemas, options),
  }
}

function responses(route: Route, isQuery: boolean, schemas: Schemas, options: OpenApiOptions): Json {
  const { definition, options: shape } = route
  const status = shape.status ?? 200
  const data = answerSchema(definition, shape.answer, schemas, options)
  const headers = {
    ...Object.fromEntries(
      Object.entries(shape.headers ?? {}).map(([name, { description }]) => [
        name,
        { description, schema: { type: 'string' } },
      ]),
    ),
    ...(!isQuery && {
      'Consistency-Token': component('headers', 'ConsistencyToken'),
      'Message-Id': component('headers', 'MessageId'),
    }),
  }
  const bad = isQuery ? [400, 500, 503] : [400, 409, 413, 415, 422, 500, 503]
  const refusals = { ...(shape.missing !== undefined && { 404: shape.missing }), ...shape.refusals }
  return {
    [status]: {
      description: 'Done',
      ...(Object.keys(headers).length > 0 && { headers }),
      content: json(options.envelope.successSchema(status, data)),
    },
    ...Object.fromEntries(bad.map((each) => [each, component('responses', `Failure${each}`)])),
    ...Object.fromEntries(
      Object.entries(refusals).map(([each, description]) => [
        each,
        { description, content: json(component('schemas', 'Failure')) },
      ]),
    ),
  }
}

function answerSchema(
  definition: AnyDefinition,
  answer: Route['options']['answer'],
  schemas: Schemas,
  options: OpenApiOptions,
): JsonSchema {
  const schema = answer ?? definition.result
  if (!schema) return {}
  const name = `${definition.type}.answer`
  schemas[name] = place(jsonSchemaOf(schema, 'output', options.toJsonSchema), name)
  return component('schemas', name)
}

const place = (schema: JsonSchema, name: string): JsonSchema => rebase(schema, `#/components/schemas/${name}`)

/** What is left of a message when the path has given some of its fields. */
function without(schema: JsonSchema, names: readonly string[]): JsonSchema {
  if (names.length === 0) return schema
  const left = Object.entries(schema.properties ?? {}).filter(([name]) => !names.includes(name))
  const required = (schema.required ?? []).filter((name) => !names.includes(name))
  const { required: _, ...rest } = schema
  return { ...rest, properties: Object.fromEntries(left), ...(required.length > 0 && { required }) }
}

function parameter(name: string, where: 'path' | 'query', required: boolean, schema: JsonSchema): Json {
  const { description, ...shape } = schema
  return { name, in: where, required, ...(typeof description === 'string' && { description }), schema: shape }
}

const PARAMETERS: Json = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description:
      'A repeat with the same key and body gets the same answer and changes nothing; with another body, 422.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  ConsistencyToken: {
    name: 'Consistency-Token',
    in: 'header',
    required: false,
    description: 'From the answer to a write: this answer then includes that write, or is a 503.',
    schema: { type: 'string' },
  },
}

const HEADERS: Json = {
  ConsistencyToken: {
    description: 'Names this write; a query that sends it back sees it. Absent when nothing changed.',
    schema: { type: 'string' },
  },
  MessageId: { description: 'Id of the message this request became.', schema: { type: 'string', format: 'uuid' } },
}

function failures({ bodyLimit = BODY_LIMIT }: OpenApiOptions): Json {
  const texts: Readonly<Record<number, string>> = {
    400: 'The request cannot be read, or some of its fields are not valid.',
    409: 'The request contradicts the present state.',
    413: `The body is larger than ${bodyLimit} bytes.`,
    415: 'The body is not application/json.',
    422: 'The body contradicts itself, or an earlier one with the same idempotency key.',
    500: 'Something went wrong on our side.',
    503: 'Something this request needs is not available; try again after the seconds in Retry-After.',
  }
  return Object.fromEntries(
    Object.entries(texts).map(([status, description]) => [
      `Failure${status}`,
      {
        description,
        ...(status === '503' && { headers: { 'Retry-After': { schema: { type: 'integer' } } } }),
        content: json(component('schemas', 'Failure')),
      },
    ]),
  )
}

function healthOperation(envelope: Envelope): Json {
  return {
    operationId: 'health',
    summary: 'The state of every dependency',
    responses: {
      200: { description: 'All are up', content: json(envelope.successSchema(200, healthSchema)) },
      503: { description: 'One is down; the others are told of too', content: json(component('schemas', 'Failure')) },
    },
  }
}
