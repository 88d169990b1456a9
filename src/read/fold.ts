import { ObverseError } from '../errors.ts'
import type { EventEnvelope } from '../message/envelope.ts'
import type { RowOperation } from './projection.ts'
import type { StoredRow } from './view.ts'

/** What a fold works on: rows as they were loaded (`undefined`: not there) and rows as they are to be saved. */
export interface Folding {
  /** Named in errors. */
  readonly view: string
  /** The key of the events; `null` in a gathering view. */
  readonly key: string | null
  readonly loaded: { get(id: string): StoredRow | undefined }
  readonly changed: { get(id: string): StoredRow | undefined; set(id: string, row: StoredRow): unknown }
  /** False only in a canary: operations are applied to rows that have seen them. */
  readonly guarded: boolean
  /** Row id → key, of rows of other keys that were changed beside this one. */
  readonly owners?: Map<string, string>
}

/**
 * Applies the operations of one event to the rows, all of them or, when one throws, none. Every changed row keeps the
 * key and takes `mark`; a row that has seen the event already is left as it is.
 *
 * @throws {ObverseError} `ROW_FOREIGN_KEY`, `PERMANENT` for an increment of something that is no number
 */
export function foldEvent(
  folding: Folding,
  event: EventEnvelope,
  mark: number,
  operations: readonly RowOperation[],
): void {
  if (operations.length === 1 && operations[0]) {
    const row = foldOperation(folding, folding.changed, event, mark, operations[0])
    if (row) keep(folding, row)
    return
  }
  const staged = new Map<string, StoredRow>()
  for (const operation of operations) {
    const row = foldOperation(folding, staged, event, mark, operation)
    if (row) staged.set(row.id, row)
  }
  for (const row of staged.values()) keep(folding, row)
}

function keep({ changed, owners, key }: Folding, row: StoredRow): void {
  changed.set(row.id, row)
  if (key !== null) owners?.set(row.id, key)
}

function foldOperation(
  folding: Folding,
  staged: { get(id: string): StoredRow | undefined },
  event: EventEnvelope,
  mark: number,
  operation: RowOperation,
): StoredRow | undefined {
  const { key, changed, loaded, owners } = folding
  const { id } = operation
  const fresh = staged.get(id) ?? changed.get(id)
  const row = fresh ?? loaded.get(id)
  const owner = row ? row.key : owners?.get(id)
  if (key !== null && owner !== undefined && owner !== key) throw foreign(folding, event, id, owner)
  // only a row from the store can be ahead of this event; one of this fold is of this event or an earlier one
  if (folding.guarded && !fresh && row && row.mark >= mark) return undefined
  const data = changedData(operation, row?.data ?? null, folding.view)
  return data === undefined ? undefined : { id, key, mark, data }
}

/** The row's data after `operation`; `null`: taken away; `undefined`: nothing changes. */
function changedData(
  operation: RowOperation,
  data: Record<string, unknown> | null,
  view: string,
): Record<string, unknown> | null | undefined {
  switch (operation.kind) {
    case 'put':
      return operation.row
    case 'patch':
      return data === null ? undefined : { ...data, ...operation.fields }
    case 'delete':
      return null
    case 'increment': {
      const base = data ?? operation.initial
      if (!base) return undefined
      const sums: Record<string, unknown> = { ...base }
      for (const field in operation.by) {
        const before = sums[field] ?? 0
        const after = (before as number) + (operation.by[field] ?? 0)
        if (typeof before !== 'number' || !Number.isFinite(after)) {
          throw new ObverseError(
            'PERMANENT',
            `View ${view}, row ${JSON.stringify(operation.id)}: ${field} is ${JSON.stringify(before)} and cannot be ` +
              `increased by ${operation.by[field]}; put a number there first`,
          )
        }
        sums[field] = after
      }
      return sums
    }
  }
}

function foreign({ view, key }: Folding, event: EventEnvelope, id: string, owner: string | null): ObverseError {
  return new ObverseError(
    'ROW_FOREIGN_KEY',
    `View ${view}: row ${JSON.stringify(id)} has seen events of key ${JSON.stringify(owner)}, and ${event.type} ` +
      `${event.id} (seq ${event.seq}) has key ${JSON.stringify(key)}; give the row events of one key, or declare the ` +
      'projection as gathering',
  )
}
