import { entryRowId, type ListForm } from './list-form.ts'
import type { ListRows } from './projection.ts'
import { checkId, keepsField, type Recording } from './recording.ts'
import { rowData } from './row-data.ts'

type Fields = Record<string, unknown>

/** Entries of lists: each is a row, whose id is made of the key of its list and its own. */
export function listRows(recording: Recording, key: string, { id: idField }: ListForm): ListRows<Fields> {
  const { where, record } = recording
  const rowId = (inList: unknown, id: unknown, what: string): string =>
    entryRowId(checkId(recording, inList, key, what), checkId(recording, id, idField, what))

  return {
    add(entry) {
      const data = rowData(entry, () => where(entry?.[idField]))
      record({ kind: 'put', id: rowId(data[key], data[idField], 'add'), row: data })
    },
    patch(inList, id, given) {
      const row = rowId(inList, id, 'patch')
      const fields = rowData(given, () => where(row))
      keepsField(recording, row, fields, key, inList, 'patch')
      keepsField(recording, row, fields, idField, id, 'patch')
      record({ kind: 'patch', id: row, fields })
    },
    remove(inList, id) {
      record({ kind: 'delete', id: rowId(inList, id, 'remove') })
    },
  }
}
