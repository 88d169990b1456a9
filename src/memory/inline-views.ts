import type { InlineRows, StoredRow } from 'obverse'
import type { Instance } from './instance.ts'
import { readAfter, readBetween } from './log.ts'
import { guards } from './view.ts'
import { isNewer, type Kept, keep, stored, type ViewTable } from './view-table.ts'

/** Rows of inline views as one unit sees them: its own writes over what is stored, until it commits. */
export class InlineViews implements InlineRows {
  readonly #instance: Instance
  readonly #written = new Map<ViewTable, Map<string, Kept>>()

  readonly history: NonNullable<InlineRows['history']>

  constructor(instance: Instance) {
    this.#instance = instance
    const { events } = instance.data
    const { registry } = instance.environment
    this.history = {
      between: (ranges, types) => readBetween(events, registry, ranges, types),
      after: (after, limit, types) => readAfter(events, registry, after, limit, types),
    }
  }

  serving(view: string): number {
    return this.#instance.data.generations.get(view)?.serving ?? 1
  }

  table(view: string, generation: number): ReturnType<InlineRows['table']> {
    const table = this.#instance.data.views.get(view, generation)
    const written = this.#written.get(table) ?? new Map<string, Kept>()
    this.#written.set(table, written)
    const known = (id: string) => written.get(id) ?? table.rows.get(id)
    return {
      load: (ids) => ids.map(known).flatMap((row) => (row ? [stored(row)] : [])),
      save: (rows) => {
        const refused: string[] = []
        for (const row of (rows as readonly StoredRow[]).map(keep)) {
          if (isNewer(row, known(row.id), guards(this.#instance))) written.set(row.id, row)
          else refused.push(row.id)
        }
        return refused
      },
    }
  }

  apply(): void {
    for (const [table, rows] of this.#written) for (const row of rows.values()) table.put(row)
  }
}
