import { ObverseError, type SchemaControl } from 'obverse'
import type { Instance } from './instance.ts'

/** There are no tables to make; only `reset` has something to do. */
export function schemaControl(instance: Instance): SchemaControl {
  return instance.whileOpen<SchemaControl>({
    async migrate(steps) {
      const [first] = steps
      if (!first) return []
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        `The memory store has no tables, so the migration ${first.name} has nowhere to go; use sqlite() of obverse/sqlite`,
      )
    },
    pending: async (steps) => steps.map(({ name }) => name),
    print: async () => [],
    async reset() {
      instance.data.clear()
      instance.data.notify()
    },
  })
}
