import type { EventEnvelope } from '../message/envelope.ts'
import type { AnyProjection, RowOperation, Rows } from './projection.ts'
import { listRows } from './record-list.ts'
import { checkId, keepsField, permanent, type Recording } from './recording.ts'
import { rowData } from './row-data.ts'

/** What the step of a projection wants done for one event; nothing is read or written here. */
export type Recorder = (event: EventEnvelope) => readonly RowOperation[]

type Fields = Record<string, unknown>

/**
 * Runs steps and collects their operations, checked: ids are texts, rows hold JSON values, increments are numbers.
 * An event without a step gives none.
 *
 * The recorder throws what the step throws, and `PERMANENT`, naming projection, event and row, for an operation that
 * no store could keep.
 */
export function createRecorder({ name, view, steps }: AnyProjection): Recorder {
  let recorded: RowOperation[] = []
  let current: EventEnvelope | undefined
  const recording: Recording = {
    where: (id) => `Projection ${name}, event ${current?.type} ${current?.id}: row ${JSON.stringify(id)}`,
    record: (operation) => recorded.push(operation),
  }
  const rows = view.list ? listRows(recording, view.key, view.list) : plainRows(recording, view.key)

  return (event) => {
    const step = steps.get(event.type)
    if (!step) return []
    recorded = []
    current = event
    const returned: unknown = step(event.data as never, rows as never, event)
    if (returned instanceof Promise) {
      returned.catch(() => {})
      throw permanent(`Projection ${name}: the step for ${event.type} is asynchronous; steps only record operations`)
    }
    const operations = recorded
    recorded = []
    return operations
  }
}

function plainRows(recording: Recording, idField: string): Rows<Fields> {
  const { where, record } = recording
  return {
    put(row) {
      const data = rowData(row, () => where(row?.[idField]))
      record({ kind: 'put', id: checkId(recording, data[idField], idField, 'put'), row: data })
    },
    patch(id, given) {
      checkId(recording, id, idField, 'patch')
      const fields = rowData(given, () => where(id))
      keepsField(recording, id, fields, idField, id, 'patch')
      record({ kind: 'patch', id, fields })
    },
    increment(id, given, first) {
      const by = given as Record<string, number | undefined>
      checkId(recording, id, idField, 'increment')
      const sums: Record<string, number> = {}
      for (const [field, amount] of Object.entries(by)) {
        if (amount === undefined) continue
        if (!Number.isFinite(amount)) throw permanent(`${where(id)}: increment of ${field} by ${String(amount)}`)
        sums[field] = amount
      }
      const initial = first === undefined ? undefined : rowData({ [idField]: id, ...first }, () => where(id))
      keepsField(recording, id, initial, idField, id, 'initial')
      record({ kind: 'increment', id, by: sums, ...(initial && { initial }) })
    },
    delete(id) {
      record({ kind: 'delete', id: checkId(recording, id, idField, 'delete') })
    },
  }
}
