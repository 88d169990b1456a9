import fc from 'fast-check'
import { damaged } from './bytes.ts'
import { type Headers, KNOWN_ID, oddHeaders, oddType } from './headers.ts'
import { deepText, MEMBERS, mutated } from './mutation.ts'
import { type Json, type Schema, valuesOf } from './schema.ts'

/** A request before it is sent: ids and tokens that only the answers tell are still to be put in. */
export interface Request {
  readonly method: string
  readonly target: string
  readonly headers: Headers
  readonly body?: Buffer
  /** Sent as bytes, on a connection of its own, with this done to them. */
  readonly raw?: string
}

/** What the application says of itself. */
export interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

interface Operation {
  readonly parameters?: readonly { readonly name?: string; readonly in?: string; readonly schema?: Schema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<Record<string, unknown>>
}

const METHODS = [
  'GET',
  'POST',
  'PATCH',
  'PUT',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'SEARCH',
  'QUERY',
] as const
const ODD_PATHS = [
  '/', '/docs', '/openapi.json', '/health', '/orders/', '//orders', '/orders//', '/ORDERS', '/orders/%00', '/orders/%zz', '/%',
  '/orders/%c0%af', '/orders/..%2f..%2fetc%2fpasswd', '/../../etc/passwd', '/orders/%2e%2e', '/.git/config', '/orders;x=1', '/orders/x/y',
  `/orders/${'x'.repeat(1_025)}`, `/${'a/'.repeat(3_000)}`, '/orders?limit', '/orders#x', '/orders/%F0%9F%98%80', '/orders/{id}', '/*',
] as const // biome-ignore format: a list of paths
export const TWISTS = ['no-host', 'two-lengths', 'both-lengths', 'negative-length', 'short-body', 'bad-chunk', 'old-version', 'new-version', 'no-version', 'bad-name', 'folded', 'nul-header', 'bare-lf', 'many-headers', 'absolute', 'star', 'spaces'] as const // biome-ignore format: a list

const WEIGHT_OF_WRITES = 4

/** Requests made of the description of an application: a third as it says, the others with something wrong about them. */
export function requestsOf({ paths, components }: Description): fc.Arbitrary<Request> {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      arbitrary: ofOperation(method.toUpperCase(), path, operation, components.schemas),
      weight: operation.requestBody ? WEIGHT_OF_WRITES : 1,
    })),
  )
  const described = fc.oneof(...operations)
  const addressed = fc
    .tuple(described, fc.constantFrom(...METHODS), fc.constantFrom(...ODD_PATHS), fc.boolean())
    .map(([request, method, target, both]) => (both ? { ...request, method, target } : { ...request, method }))
  const broken = fc.tuple(described, fc.constantFrom(...TWISTS)).map(([request, raw]) => ({ ...request, raw }))
  return fc.oneof(
    { arbitrary: described, weight: 85 },
    { arbitrary: addressed, weight: 12 },
    { arbitrary: broken, weight: 3 },
  )
}

function ofOperation(
  method: string,
  path: string,
  operation: Operation,
  schemas: Readonly<Record<string, Schema>>,
): fc.Arbitrary<Request> {
  const schema = operation.requestBody?.content['application/json']?.schema
  const body = schema
    ? bodyOf(valuesOf(schema, schemas))
    : fc.option(fc.constant(Buffer.from('{}')), { nil: undefined, freq: 20 })
  const query = (operation.parameters ?? []).filter((one) => one.in === 'query')
  return fc
    .record({ target: targetOf(path, query, schemas), body, headers: headersOf(schema !== undefined) })
    .map(({ body: bytes, ...rest }) => ({
      method,
      ...rest,
      ...(bytes !== undefined && { body: bytes }),
    }))
}

function bodyOf(valid: fc.Arbitrary<Json>): fc.Arbitrary<Buffer> {
  const text = valid.map((value) => JSON.stringify(value))
  const wrong = mutated(valid).map((value) => JSON.stringify(value))
  return fc.oneof(
    { arbitrary: text.map((one) => Buffer.from(one)), weight: 40 },
    { arbitrary: wrong.map((one) => Buffer.from(one)), weight: 40 },
    { arbitrary: damaged(text), weight: 15 },
    { arbitrary: deepText.map((one) => Buffer.from(`{"customer_name":${one}}`)), weight: 1 },
    { arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)), weight: 4 },
  )
}

function headersOf(hasBody: boolean): fc.Arbitrary<Headers> {
  const type = hasBody
    ? fc.oneof(
        { arbitrary: fc.constant<Headers>({ 'content-type': 'application/json' }), weight: 19 },
        { arbitrary: oddType, weight: 1 },
      )
    : fc.constant<Headers>({})
  const odd = fc.oneof({ arbitrary: fc.constant<Headers>({}), weight: 4 }, { arbitrary: oddHeaders, weight: 1 })
  return fc.tuple(type, odd).map(([one, other]) => ({ ...one, ...other }))
}

function targetOf(
  path: string,
  query: NonNullable<Operation['parameters']>,
  schemas: Readonly<Record<string, Schema>>,
): fc.Arbitrary<string> {
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  const id = fc.oneof(
    { arbitrary: fc.constant(KNOWN_ID), weight: 6 },
    { arbitrary: fc.uuid(), weight: 1 },
    { arbitrary: fc.oneof(text, fc.constantFrom(...MEMBERS, '.', '..', '%', 'null')).map(escaped), weight: 1 },
  )
  const pair = fc
    .tuple(
      fc.constantFrom(...query.map(({ name }) => name as string), ...MEMBERS, 'x', 'limit[]', 'status[$ne]'),
      fc.oneof(text, fc.constantFrom('0', '-1', '201', '1e9', '01', '1.0', ' 1', 'NaN', 'e30', 'bnVsbA', 'W10')),
    )
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
  const right = query.map(({ name, schema }) =>
    valuesOf(schema ?? {}, schemas).map((value) => `${name}=${escaped(String(value))}`),
  )
  const search =
    query.length === 0
      ? fc.oneof(
          { arbitrary: fc.constant<string[]>([]), weight: 9 },
          { arbitrary: fc.array(pair, { maxLength: 2 }), weight: 1 },
        )
      : fc.array(fc.oneof(...right, pair), { maxLength: 3 })
  return fc
    .tuple(id, search)
    .map(([one, pairs]) => path.replace('{id}', one) + (pairs.length > 0 ? `?${pairs.join('&')}` : ''))
}

/** As a URL, whatever the text; half a character as the bytes that no UTF-8 has. */
function escaped(text: string): string {
  if (text === KNOWN_ID) return text
  return text.isWellFormed() ? encodeURIComponent(text) : text.replace(/[^\w]/g, '%ED%A0%80')
}
