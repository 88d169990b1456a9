import { type Checkpoints, outage } from 'obverse'
import { testRuntime } from 'obverse/testing'
import { expect, test } from 'vitest'
import { createGenerations } from '../../src/read/generation.ts'
import { createWorld, things } from './world.ts'

type State = 'up' | 'down' | 'silent' | 'broken'

/** A store of pointers that can be taken away. */
async function createStore() {
  const world = await createWorld()
  const { checkpoints, views } = world.store
  const runtime = testRuntime()
  let [state, asked] = ['up' as State, 0]
  const generation: Checkpoints['generation'] = async (view) => {
    asked += 1
    if (state === 'down') throw outage('the store is down')
    if (state === 'broken') throw new Error('no such table')
    if (state === 'silent') await new Promise(() => {})
    return checkpoints.generation(view)
  }
  const generations = createGenerations({ checkpoints: { generation }, storeOf: () => views, runtime })
  const become = async (next: State) => {
    state = next
    // what is known is older than it is believed
    await runtime.advance(60)
  }
  const switchTo = async (serving: number) => {
    await checkpoints.setGeneration(things.name, await checkpoints.generation(things.name), { serving })
  }
  return { generations, runtime, become, switchTo, asked: () => asked }
}

test('queries read what was served last while the store of pointers is down', async () => {
  const { generations, become, switchTo } = await createStore()
  await switchTo(2)
  expect((await generations.reading(things)).generation).toBe(2)
  await become('down')
  expect((await generations.reading(things)).generation).toBe(2)
  await expect(generations.serving(things)).rejects.toThrow('the store is down')
  await become('up')
  await switchTo(3)
  await become('up')
  expect((await generations.reading(things)).generation).toBe(3)
})

test('queries wait only so long for one that does not answer, and ask it once', async () => {
  const { generations, runtime, become, asked } = await createStore()
  await generations.reading(things)
  await become('silent')
  const before = asked()
  let read = 0
  const reading = [1, 2].map(() => generations.reading(things).then(() => (read += 1)))
  await runtime.advance(200)
  expect(read).toBe(0)
  await runtime.advance(100)
  await Promise.all(reading)
  // known to be late by now
  await generations.reading(things)
  expect(asked()).toBe(before + 1)
})

test('queries know a generation that they have been told of and not asked for', async () => {
  const { generations, become, switchTo } = await createStore()
  await switchTo(2)
  await become('down')
  await expect(generations.reading(things)).rejects.toThrow('the store is down')
  await become('up')
  await generations.learn([things])
  await become('down')
  expect((await generations.reading(things)).generation).toBe(2)
})

test('what is no outage is said', async () => {
  const { generations, become } = await createStore()
  await generations.reading(things)
  await become('broken')
  await expect(generations.reading(things)).rejects.toThrow('no such table')
})
