import { event, projection, unchecked, type ViewStore, view } from 'obverse'
import { expect, test } from 'vitest'
import { checkProjections, projectionProblems } from '../../src/read/check-projections.ts'

const Happened = event('happened', unchecked<{ id: string }>(), { key: (e) => e.id })
const store = (name: string, lacks: readonly string[] = []): ViewStore => ({
  name,
  open: () => Promise.reject(new Error('not opened here')),
  drop: async () => {},
  lacks: () => lacks,
})
const own = store('sqlite')
const redis = store('redis', ['it has no look-up by two fields'])
const fill = (name: string, viewName: string, options: Parameters<typeof projection>[2] = {}) =>
  projection(name, view(viewName, { row: unchecked<{ id: string }>(), key: 'id' }), options).on(Happened, () => {})
const stores = (more: object = {}) => ({
  storeOf: ({ name }: { name: string }) => (name === 'away' ? redis : own),
  own,
  all: [own, redis],
  knowsPosition: true,
  channels: new Set(['mail']),
  ...more,
})

test('what is well composed has no problem', () => {
  const inline = fill('b', 'b', { feed: 'inline', gathering: true })
  expect(projectionProblems([fill('a', 'a'), inline, fill('c', 'c', { feed: { channel: 'mail' } })], stores())).toEqual(
    [],
  )
})

test.each([
  [[fill('a', 'v'), fill('b', 'v')], {}, /View v is filled by a and b; a view has one projection/],
  [[fill('a', 'v'), fill('a', 'w')], {}, /2 projections are called a; give each its own name/],
  [
    [fill('a', 'away', { feed: 'inline' })],
    {},
    /a is inline, but its view away lives in redis and the transaction in sqlite/,
  ],
  [
    [fill('a', 'v', { feed: 'inline', gathering: true })],
    { knowsPosition: false },
    /a gathers inline, .* use the feed 'log'/,
  ],
  [[fill('a', 'v', { feed: { channel: 'mail' }, gathering: true })], {}, /a gathers from the channel mail/],
  [
    [fill('a', 'v', { feed: { channel: 'nope' } })],
    {},
    /fed by the channel nope, which the application does not have \(it has mail\)/,
  ],
  [[fill('a', 'away')], {}, /View away cannot live in redis: it has no look-up by two fields; sqlite could serve it/],
  [[projection('idle', view('v', { row: unchecked<{ id: string }>(), key: 'id' }))], {}, /idle handles no event/],
] as const)('%# is refused in words', (projections, more, message) => {
  expect(() => checkProjections(projections, stores(more))).toThrow(
    expect.objectContaining({ code: 'CONFIGURATION_INVALID', message: expect.stringMatching(message) }),
  )
})

test('all problems are said at once', () => {
  expect(projectionProblems([fill('a', 'v'), fill('a', 'v'), fill('b', 'away')], stores())).toHaveLength(3)
})
