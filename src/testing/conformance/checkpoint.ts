import assert from 'node:assert/strict'
import type { Checkpoints } from 'obverse'
import type { Case } from './case.ts'

/** What a case of checkpoints is given. */
export interface CheckpointSubject {
  /** The same checkpoints each time, empty at first, as several processes have them. */
  open(): Promise<{ readonly checkpoints: Checkpoints }>
}

/** Contract of `Checkpoints`. */
export const checkpointCases: readonly Case<CheckpointSubject>[] = [
  {
    name: 'a checkpoint starts at 0 and moves from where its holder believes it to be, or not at all',
    async run(subject) {
      const { checkpoints } = await subject.open()
      assert.equal(await checkpoints.get('p'), 0)
      assert.equal(await checkpoints.advance('p', 0, 5), true)
      assert.equal(await checkpoints.advance('p', 0, 3), false, 'a zombie cannot set it back')
      assert.equal(await checkpoints.advance('p', 4, 9), false)
      assert.equal(await checkpoints.get('p'), 5)
      assert.equal(await checkpoints.advance('p', 5, 6), true)
      assert.equal(await checkpoints.advance('q', 1, 2), false, 'one that was never seen is at 0')
      assert.equal(await checkpoints.get('q'), 0)
    },
  },
  {
    name: 'of many who advance from one place, one does',
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      const moved = await Promise.all(
        Array.from({ length: 10 }, (_, n) => (n % 2 ? one : two).checkpoints.advance('p', 0, n + 1)),
      )
      assert.equal(moved.filter(Boolean).length, 1)
      assert.equal(await one.checkpoints.get('p'), moved.indexOf(true) + 1)
    },
  },
  {
    name: 'all lists what was seen; a removed one is at 0 again',
    async run(subject) {
      const { checkpoints } = await subject.open()
      await checkpoints.advance('b', 0, 2)
      await checkpoints.advance('a', 0, 1)
      const all = (await checkpoints.all()).toSorted((a, b) => (a.name < b.name ? -1 : 1))
      assert.deepEqual(all, [
        { name: 'a', position: 1 },
        { name: 'b', position: 2 },
      ])
      await checkpoints.remove('b')
      await checkpoints.remove('nobody')
      assert.equal(await checkpoints.get('b'), 0)
      assert.equal(await checkpoints.advance('b', 0, 7), true)
    },
  },
  {
    name: 'generations are compared as a whole before they are set',
    async run(subject) {
      const { checkpoints } = await subject.open()
      assert.deepEqual(await checkpoints.generation('v'), { serving: 1 })
      const building = { serving: 1, building: 2 }
      assert.equal(await checkpoints.setGeneration('v', { serving: 2 }, building), false)
      assert.equal(await checkpoints.setGeneration('v', { serving: 1 }, building), true)
      assert.equal(await checkpoints.setGeneration('v', { serving: 1 }, { serving: 9 }), false)
      assert.deepEqual(await checkpoints.generation('v'), building)
      const switched = { serving: 2, followTo: 40, previous: 1 }
      assert.equal(await checkpoints.setGeneration('v', building, switched), true)
      assert.deepEqual(await checkpoints.generation('v'), switched)
      assert.equal(await checkpoints.setGeneration('v', { serving: 2, followTo: 41, previous: 1 }, building), false)
      assert.deepEqual(await checkpoints.generation('other'), { serving: 1 })
    },
  },
  {
    name: 'of two who switch at once, one does',
    async run(subject) {
      const [one, two] = [await subject.open(), await subject.open()]
      const set = await Promise.all(
        [one, two, one].map((store, n) =>
          store.checkpoints.setGeneration('v', { serving: 1 }, { serving: 1, building: n + 2 }),
        ),
      )
      assert.equal(set.filter(Boolean).length, 1)
    },
  },
]
