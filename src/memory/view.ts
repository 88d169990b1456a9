import type { ViewStore } from 'obverse'
import type { Instance } from './instance.ts'
import { type Guards, isNewer, keep, stored } from './view-table.ts'

export function viewStore(instance: Instance): ViewStore {
  const { views } = instance.data
  return instance.whileOpen({
    name: 'memory',
    async open(shape, generation) {
      views.open(shape, generation)
      const table = () => views.get(shape.name, generation)
      return instance.whileOpen({
        async load(ids: readonly string[]) {
          const { rows } = table()
          return ids.flatMap((id) => {
            const row = rows.get(id)
            return row ? [stored(row)] : []
          })
        },
        async save(rows) {
          const to = table()
          const refused: string[] = []
          for (const row of rows.map(keep)) {
            if (isNewer(row, to.rows.get(row.id), guards(instance))) to.put(row)
            else refused.push(row.id)
          }
          return refused
        },
        async get(id) {
          const text = table().rows.get(id)?.text
          return text == null ? undefined : JSON.parse(text)
        },
        find: async (question) => table().find(question),
        count: async () => table().live,
        size: async (lookup, equals) => table().size(lookup, equals),
        search: async (question) => table().search(question),
      })
    },
    drop: async (shape, generation) => views.drop(shape.name, generation),
    lacks: () => [],
  } satisfies ViewStore)
}

export function guards(instance: Instance): Guards {
  return { bySeq: !instance.lacks('guard-by-seq'), byPosition: !instance.lacks('guard-by-position') }
}
