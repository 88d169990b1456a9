import { type EventEnvelope, event, projection, type Rows, unchecked, view } from 'obverse'
import { describe, expect, test } from 'vitest'
import { createRecorder } from '../../src/read/record.ts'

type Row = { id: string; n: number; [field: string]: unknown }
const Happened = event('happened', unchecked<null>(), { key: () => 'k' })
const list = view('list', { row: unchecked<Row>(), key: 'id' })
const envelope: EventEnvelope = {
  id: 'event-1',
  type: 'happened',
  kind: 'event',
  schemaVersion: 1,
  time: '2026-01-01T00:00:00.000Z',
  key: 'k',
  seq: 1,
  data: null,
  metadata: { correlationId: 'c', causationId: null },
}
const record = (step: (rows: Rows<Row>) => unknown) =>
  createRecorder(projection('lister', list).on(Happened, (_, rows) => step(rows as Rows<Row>) as undefined))(envelope)

test('operations are recorded in order, undefined fields left out, rows copied', () => {
  const row = { id: 'a', n: 1, gone: undefined, deep: { kept: [1, null], gone: undefined } }
  const operations = record((rows) => {
    rows.put(row)
    row.n = 2
    rows.patch('a', { n: 3, gone: undefined })
    rows.increment('a', { n: 1 }, { n: 0 } as Row)
    rows.delete('a')
  })
  expect(operations).toEqual([
    { kind: 'put', id: 'a', row: { id: 'a', n: 1, deep: { kept: [1, null] } } },
    { kind: 'patch', id: 'a', fields: { n: 3 } },
    { kind: 'increment', id: 'a', by: { n: 1 }, initial: { id: 'a', n: 0 } },
    { kind: 'delete', id: 'a' },
  ])
  expect(Object.keys(operations[0]?.kind === 'put' ? operations[0].row : {})).toEqual(['id', 'n', 'deep'])
})

test('an event of another type gives nothing', () => {
  expect(createRecorder(projection('none', list))(envelope)).toEqual([])
})

test('a field that is named __proto__ stays a field', () => {
  const row = JSON.parse('{"id":"a","n":1,"__proto__":{"polluted":true}}') as Row
  const [operation] = record((rows) => rows.put(row))
  expect(JSON.stringify(operation)).toContain('"__proto__":{"polluted":true}')
  expect(operation).toMatchObject({ kind: 'put', row: { n: 1 } })
  expect(operation).not.toHaveProperty('row.polluted')
})

describe('refused, with the names of projection, event and row', () => {
  const cyclic: Row = { id: 'a', n: 1 }
  cyclic.self = { again: cyclic }
  const bad: [string, (rows: Rows<Row>) => unknown, RegExp][] = [
    ['a row without an id', (rows) => rows.put({ n: 1 } as Row), /id must be a text that is not empty/],
    ['an empty id', (rows) => rows.delete(''), /must be a text that is not empty/],
    ['an id that is a number', (rows) => rows.put({ id: 7 as never, n: 1 }), /row 7 of put/],
    ['an id of a mark', (rows) => rows.delete('\u0001a'), /begins with U\+0001/],
    ['a patch of the id', (rows) => rows.patch('a', { id: 'b' }), /a row keeps its id/],
    ['an increment by nothing finite', (rows) => rows.increment('a', { n: Number.NaN }), /increment of n by NaN/],
    ['an increment by a text', (rows) => rows.increment('a', { n: '1' as never }), /increment of n by 1/],
    ['a date', (rows) => rows.put({ id: 'a', n: 1, at: new Date(0) }), /has in at a Date; rows hold JSON values only/],
    ['a bigint', (rows) => rows.patch('a', { deep: [{ big: 1n }] }), /has in deep\[0\]\.big 1;/],
    ['undefined in a list', (rows) => rows.put({ id: 'a', n: 1, list: [undefined] }), /has in list\[0\] undefined/],
    ['not a number', (rows) => rows.put({ id: 'a', n: Number.POSITIVE_INFINITY }), /has in n Infinity/],
    ['a row that is none', (rows) => rows.put(null as never), /is null/],
    ['a circle', (rows) => rows.put(cyclic), /nests deeper than 64 levels/],
    ['a step that waits', async () => {}, /asynchronous/],
  ]
  test.each(bad)('%s', (_, step, message) => {
    expect(() => record(step)).toThrow(
      expect.objectContaining({ code: 'PERMANENT', message: expect.stringMatching(message) }),
    )
    expect(() => record(step)).toThrow(/rojection lister/)
  })
})
