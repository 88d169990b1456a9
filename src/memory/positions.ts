import type { Positions } from 'obverse'
import type { Instance } from './instance.ts'

export function positions(instance: Instance): Positions {
  const { data } = instance
  return instance.whileOpen<Positions>({
    async stamp(limit) {
      let count = 0
      for (; count < limit; count += 1) {
        const event = data.events.stamp()
        if (!event) break
        for (const row of event.rows ?? []) row.queue.stamped(row)
        event.rows = undefined
      }
      if (count > 0) data.notify()
      return count
    },
  })
}
