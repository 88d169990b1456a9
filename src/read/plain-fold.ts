import type { EventEnvelope } from '../message/envelope.ts'
import { entryRowId } from './list-form.ts'
import type { AnyProjection, ListRows, Rows } from './projection.ts'

type Data = Record<string, unknown>

/** The plainest fold there is, to compare with: every event once, in the order of the log, rows in a map. */
export interface PlainFold {
  /** Takes the next event; returns the ids it touched. */
  take(event: EventEnvelope): Promise<ReadonlySet<string>>
  readonly rows: ReadonlyMap<string, Data>
  /** Of every row there ever was. */
  ids(): Iterable<string>
}

export function createPlainFold(
  { view, steps, gathering }: AnyProjection,
  givenUp: (event: EventEnvelope) => Promise<boolean>,
): PlainFold {
  const rows = new Map<string, Data>()
  const owners = new Map<string, string>()
  const stuck = new Set<string>()

  const run = (event: EventEnvelope, next: Map<string, Data | undefined>) => {
    const get = (id: string) => (next.has(id) ? next.get(id) : rows.get(id))
    const set = (id: string, data: Data | undefined) => {
      if (!gathering && (owners.get(id) ?? event.key) !== event.key) throw new Error(`foreign key of ${id}`)
      next.set(id, data)
    }
    const patch = (id: string, fields: Data) => set(id, get(id) && { ...get(id), ...defined(fields) })
    const { list } = view
    const entries: ListRows<Data> | undefined = list && {
      add: (entry) => set(entryRowId(entry[view.key] as string, entry[list.id] as string), { ...entry }),
      patch: (key, id, fields) => patch(entryRowId(key, id), fields),
      remove: (key, id) => set(entryRowId(key, id), undefined),
    }
    const write: Rows<Data> = {
      put: (row) => set(row[view.key] as string, { ...row }),
      patch,
      delete: (id) => set(id, undefined),
      increment(id, by, initial) {
        const row: Data | undefined = get(id) ?? (initial && { [view.key]: id, ...initial })
        const sums = Object.entries(defined(by)).map(([name, amount]) => [
          name,
          Number(row?.[name] ?? 0) + Number(amount),
        ])
        set(id, row && { ...row, ...Object.fromEntries(sums) })
      },
    }
    steps.get(event.type)?.(event.data as never, (entries ?? write) as never, event)
  }
  return {
    rows,
    ids: () => owners.keys(),
    async take(event) {
      const lane = gathering ? '' : event.key
      const next = new Map<string, Data | undefined>()
      if (stuck.has(lane)) return new Set()
      try {
        run(event, next)
      } catch {
        if (!(await givenUp(event))) stuck.add(lane)
        return new Set()
      }
      for (const [id, data] of next) {
        owners.set(id, event.key)
        if (data) rows.set(id, data)
        else rows.delete(id)
      }
      return new Set(next.keys())
    },
  }
}

function defined(fields: object): Data {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
