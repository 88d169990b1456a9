import type { Checkpoints, Generation } from 'obverse'
import type { Instance } from './instance.ts'

const FIRST: Generation = { serving: 1 }

export function checkpoints(instance: Instance): Checkpoints {
  const { checkpoints: positions, generations } = instance.data
  return instance.whileOpen<Checkpoints>({
    get: async (name) => positions.get(name) ?? 0,
    async advance(name, from, to) {
      if ((positions.get(name) ?? 0) !== from && !instance.lacks('checkpoint-fence')) return false
      positions.set(name, to)
      return true
    },
    async remove(name) {
      positions.delete(name)
    },
    all: async () => [...positions].map(([name, position]) => ({ name, position })),
    generation: async (view) => generations.get(view) ?? FIRST,
    async setGeneration(view, expected, next) {
      if (!same(generations.get(view) ?? FIRST, expected)) return false
      generations.set(view, { ...next })
      return true
    },
  })
}

function same(a: Generation, b: Generation): boolean {
  return a.serving === b.serving && a.building === b.building && a.followTo === b.followTo && a.previous === b.previous
}
