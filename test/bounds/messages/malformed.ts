import fc from 'fast-check'
import { damaged } from '../requests/bytes.ts'
import { deepText, MEMBERS } from '../requests/mutation.ts'
import type { Json } from '../requests/schema.ts'

/** A message as the application itself puts it on its queue. */
function created(id: string): Readonly<Record<string, Json>> {
  const order = { order_id: id, customer_name: 'n', customer_email: 'n@example.com', items: [], total_amount: 0 }
  return {
    id,
    type: 'order.created',
    kind: 'event',
    schemaVersion: 1,
    time: '2026-01-01T00:00:00.000Z',
    key: id,
    seq: 1,
    data: { ...order, status: 'pending', created_at: '2026-01-01T00:00:00.000Z', version: 1 },
    metadata: { correlationId: id, causationId: null },
  }
}

const odd = fc.constantFrom<Json>(null, true, 0, -1, 1.5, '', [], {}, [[]])

/** Fields of the envelope, with what may not stand in them. */
const WRONG: Readonly<Record<string, fc.Arbitrary<Json>>> = {
  id: fc.oneof(fc.constantFrom<Json>('', 'x'.repeat(501)), odd),
  type: fc.oneof(fc.constantFrom<Json>('no.such.type', 'order.created\0', ...MEMBERS), fc.string(), odd),
  kind: fc.oneof(fc.constantFrom<Json>('command', 'query', 'Event', ...MEMBERS), odd),
  schemaVersion: fc.constantFrom<Json>(0, -1, 1.5, 2, 99, 2 ** 31, 1e300, '1', true, [], {}),
  time: odd,
  key: fc.constantFrom<Json>(5, true, [], {}, 'x'.repeat(501)),
  seq: fc.constantFrom<Json>(0, -1, 1.5, '1', 1e300, true, [], {}),
  metadata: fc.constantFrom<Json>(5, true, 'x', [1]),
  data: fc.oneof(
    odd,
    fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>,
    fc.constantFrom(10_000, 1_000_000).map((long) => 'x'.repeat(long)),
  ),
}

/** Of the data, what its schema may not let through. */
const DATA: Readonly<Record<string, fc.Arbitrary<Json>>> = {
  order_id: odd,
  customer_name: fc.constantFrom<Json>(null, 5, {}),
  items: fc.constantFrom<Json>(null, {}, 'x', [null], [{ product: 'p' }]),
  status: fc.oneof(fc.constantFrom<Json>('gone', ...MEMBERS), odd),
  version: fc.constantFrom<Json>(0, 1.5, '1', null),
  created_at: odd,
}

const text = (change: (message: Record<string, Json>) => Json) => (id: string) =>
  JSON.stringify(change({ ...created(id) }))

/** Bytes that are no message of the application, each about as likely to be found out as late as possible. */
export const malformed: fc.Arbitrary<Buffer> = fc
  .uuid()
  .chain((id) =>
    fc.oneof(
      {
        arbitrary: wrongField(WRONG).map(([name, value]) => text((one) => ({ ...one, [name]: value }))(id)),
        weight: 6,
      },
      { arbitrary: wrongField(DATA).map(([name, value]) => text(inData(name, value))(id)), weight: 4 },
      {
        arbitrary: fc.constantFrom('id', 'type', 'kind', 'time', 'data').map((name) => text(without(name))(id)),
        weight: 2,
      },
      {
        arbitrary: fc.constantFrom(...MEMBERS).map((name) => `{"${name}":{"id":${JSON.stringify(id)}},"id":5}`),
        weight: 1,
      },
      { arbitrary: deepText.map((deep) => `{"id":${JSON.stringify(id)},"data":${deep}}`), weight: 1 },
      { arbitrary: fc.string({ unit: 'binary', maxLength: 200 }), weight: 2 },
      {
        arbitrary: fc.constantFrom('', ' ', '\0', 'null', '[]', '1', '"x"', 'NaN', '{', '{}', '\ufeff{}', '\ud800'),
        weight: 1,
      },
      { arbitrary: truncated(id), weight: 2 },
      { arbitrary: fc.uint8Array({ maxLength: 300 }), weight: 2 },
      { arbitrary: damaged(fc.constant(JSON.stringify({ ...created(id), schemaVersion: 0 }))), weight: 3 },
      { arbitrary: fc.nat({ max: 300 }).map((at) => broken(JSON.stringify(created(id)), at)), weight: 3 },
    ),
  )
  .map((made) => Buffer.from(made as string))

function wrongField(fields: Readonly<Record<string, fc.Arbitrary<Json>>>): fc.Arbitrary<readonly [string, Json]> {
  return fc.oneof(...Object.entries(fields).map(([name, values]) => values.map((value) => [name, value] as const)))
}

function inData(name: string, value: Json): (message: Record<string, Json>) => Json {
  return (message) => ({ ...message, data: { ...(message.data as object), [name]: value } })
}

function without(name: string): (message: Record<string, Json>) => Json {
  return ({ [name]: _, ...rest }) => rest
}

function truncated(id: string): fc.Arbitrary<string> {
  const whole = JSON.stringify(created(id))
  return fc.nat({ max: whole.length - 1 }).map((length) => whole.slice(0, length))
}

/** Good but for one byte that is no UTF-8. */
function broken(whole: string, at: number): Buffer {
  const bytes = Buffer.from(whole)
  return Buffer.concat([bytes.subarray(0, at), Buffer.from([0xff]), bytes.subarray(at)])
}
