import { isObverseError, type StoredRow } from 'obverse'
import { bigints, documents, texts } from './array.ts'
import { exactText, textOf } from './exact-text.ts'
import { idOf, storedId, wholeId } from './row-id.ts'
import type { Statement } from './statement.ts'
import type { ViewColumn } from './view-column.ts'
import type { ViewStatements } from './view-statement.ts'

/** A connection, or a line. */
export interface Runner {
  all<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>
  get<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row | undefined>
}

/** How often a statement is tried that loses a deadlock, as with a transaction that saves the same rows one by one. */
const TRIES = 5

/** For statements that are transactions of their own. */
export function persistent(runner: Runner): Runner {
  const again = async <T>(run: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await run()
      } catch (error) {
        if (!isObverseError(error, 'CONFLICT') || tries === TRIES) throw error
      }
    }
  }
  return {
    all: (statement, values) => again(() => runner.all(statement, values)),
    get: (statement, values) => again(() => runner.get(statement, values)),
  }
}

export async function loadRows(
  runner: Runner,
  { load }: ViewStatements,
  ids: readonly string[],
): Promise<readonly StoredRow[]> {
  interface Row {
    readonly id: string
    readonly whole: string | null
    readonly key: string | null
    readonly mark: number
    readonly data: Record<string, unknown> | null
  }
  if (ids.length === 0) return []
  const rows = await runner.all<Row>(load, [texts(ids.map(storedId))])
  return rows.map(({ id, whole, key, mark, data }) => ({
    id: idOf({ id, whole }),
    key: key === null ? null : textOf(key),
    mark,
    data,
  }))
}

/** Returns the ids that were refused. A row that comes several times is saved as often, in its order. */
export async function saveRows(
  runner: Runner,
  { save }: ViewStatements,
  columns: readonly ViewColumn[],
  rows: readonly StoredRow[],
): Promise<readonly string[]> {
  const refused: string[] = []
  for (const round of rounds(rows)) {
    const values = parameters(round, columns)
    const saved = await runner.all<{ id: string }>(save, values)
    if (saved.length === round.length) continue
    const accepted = new Set(saved.map(({ id }) => id))
    for (const { stored, row } of round) if (!accepted.has(stored)) refused.push(row.id)
  }
  return refused
}

interface Sent {
  readonly stored: string
  readonly row: StoredRow
}

/** In each no id twice, and all in one order. */
function rounds(rows: readonly StoredRow[]): Sent[][] {
  const all: { readonly ids: Set<string>; readonly sent: Sent[] }[] = []
  for (const row of rows) {
    const stored = storedId(row.id)
    let round = all.find(({ ids }) => !ids.has(stored))
    if (!round) {
      round = { ids: new Set(), sent: [] }
      all.push(round)
    }
    round.ids.add(stored)
    round.sent.push({ stored, row })
  }
  return all.map(({ sent }) => sent.sort((a, b) => (a.stored < b.stored ? -1 : 1)))
}

function parameters(round: readonly Sent[], columns: readonly ViewColumn[]): unknown[] {
  const whole = round.map(({ stored, row }) => wholeId(row.id, stored))
  return [
    texts(round.map(({ stored }) => stored)),
    whole.every((id) => id === null) ? null : texts(whole),
    texts(round.map(({ row: { key } }) => (key === null ? null : exactText(key)))),
    bigints(round.map(({ row }) => row.mark)),
    documents(round.map(({ row: { data } }) => (data === null ? null : JSON.stringify(data)))),
    ...columns.map((column) => texts(round.map(({ row }) => column.textOf(row.data)))),
  ]
}
