import { ObverseError } from '../errors.ts'
import type { EventEnvelope } from '../message/envelope.ts'
import { HIDDEN } from './mark.ts'
import type { AnyProjection, RowOperation, Rows } from './projection.ts'
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
  const idField: string = view.key
  let recorded: RowOperation[] = []
  let current: EventEnvelope | undefined

  const where = (id: unknown) => `Projection ${name}, event ${current?.type} ${current?.id}: row ${JSON.stringify(id)}`
  const checkId = (id: unknown, what: string): string => {
    if (typeof id !== 'string' || id === '') {
      throw permanent(`${where(id)} of ${what} has no id; ${idField} must be a text that is not empty`)
    }
    if (id.startsWith(HIDDEN)) {
      throw permanent(`${where(id)} of ${what} begins with U+0001, which is kept for marks; choose another id`)
    }
    return id
  }
  const keepsId = (id: string, fields: Fields | undefined, what: string) => {
    if (fields && Object.hasOwn(fields, idField) && fields[idField] !== id) {
      throw permanent(`${where(id)}: ${what} says ${idField} is ${JSON.stringify(fields[idField])}; a row keeps its id`)
    }
  }
  const rows: Rows<Fields> = {
    put(row) {
      const data = rowData(row, () => where(row?.[idField]))
      recorded.push({ kind: 'put', id: checkId(data[idField], 'put'), row: data })
    },
    patch(id, given) {
      checkId(id, 'patch')
      const fields = rowData(given, () => where(id))
      keepsId(id, fields, 'patch')
      recorded.push({ kind: 'patch', id, fields })
    },
    increment(id, given, first) {
      const by = given as Record<string, number | undefined>
      checkId(id, 'increment')
      const sums: Record<string, number> = {}
      for (const [field, amount] of Object.entries(by)) {
        if (amount === undefined) continue
        if (!Number.isFinite(amount)) throw permanent(`${where(id)}: increment of ${field} by ${String(amount)}`)
        sums[field] = amount
      }
      const initial = first === undefined ? undefined : rowData({ [idField]: id, ...first }, () => where(id))
      keepsId(id, initial, 'initial')
      recorded.push({ kind: 'increment', id, by: sums, ...(initial && { initial }) })
    },
    delete(id) {
      recorded.push({ kind: 'delete', id: checkId(id, 'delete') })
    },
  }

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

function permanent(message: string): ObverseError {
  return new ObverseError('PERMANENT', message)
}
