import { type AnyView, event, list, projection, unchecked, view } from 'obverse'
import { expect, test } from 'vitest'
import { beginBuilding } from '../../src/read/building.ts'
import type { RebuildContext } from '../../src/read/rebuild-context.ts'
import { createWorld } from './world.ts'

interface Row {
  readonly id: string
  readonly of: string
  readonly text: string
}
const Put = event('put', unchecked<Row>(), { key: (e) => e.id })
const row = unchecked<Row>()

// Each differs from the one before in what it asks of its store.
const forms: readonly (readonly [string, AnyView])[] = [
  ['rows', view('rows', { row, key: 'id' })],
  ['a look-up', view('rows', { row, key: 'id', index: ['of'] })],
  ['a search', view('rows', { row, key: 'id', index: ['of'], search: ['text'] })],
  ['a wider search', view('rows', { row, key: 'id', index: ['of'], search: ['text', 'of'] })],
  ['a search with a filter', view('rows', { row, key: 'id', index: ['of'], search: { fields: ['text'], by: ['of'] } })],
  ['a list', list('rows', { entry: row, key: 'of', id: 'id' })],
  ['a list of other entries', list('rows', { entry: row, key: 'of', id: 'text' })],
]

test('a build that was cut off is taken up by the same view only', async () => {
  const { store, generations, runtime } = await createWorld()
  const { checkpoints } = store
  const begin = (of: AnyView) => {
    const fills = projection('fill', of).on(Put, () => {})
    return beginBuilding({ projection: fills, generations, checkpoints, runtime } as unknown as RebuildContext, false)
  }
  let generation = 1
  for (const [form, of] of forms) {
    generation += 1
    expect(await begin(of), form).toBe(generation)
    expect(await begin(of), `${form}, again`).toBe(generation)
  }
})

test('how much of a list is given is not part of what is built', async () => {
  const { store, generations, runtime } = await createWorld()
  const of = (limit: number) => list('rows', { entry: row, key: 'of', id: 'id', limit })
  for (const limit of [5, 6]) {
    const fills = projection('fill', of(limit)).on(Put, () => {})
    const context = { projection: fills, generations, checkpoints: store.checkpoints, runtime }
    expect(await beginBuilding(context as unknown as RebuildContext, false)).toBe(2)
  }
})
