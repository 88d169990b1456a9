import { oneLine } from 'obverse'
import type { Paint, Style } from './style.ts'
import { cut, pad, width } from './width.ts'

export interface Column {
  readonly title: string
  /** Aligned to the right: numbers. */
  readonly right?: boolean
  /** May be cut down to so many columns when the terminal is narrow. Absent: never cut (ids, names one copies). */
  readonly least?: number
  /** Left out when the terminal is too narrow for all columns; the last of them first. */
  readonly optional?: boolean
}

export type Cell = string | { readonly text: string; readonly paint?: Paint }

const GAP = 2

/** Rows under short titles, aligned; cut to `columns` where the table allows it. Titles and texts are one line each. */
export function tableLines(
  heads: readonly Column[],
  rows: readonly (readonly Cell[])[],
  style: Style,
  columns: number | undefined,
): string[] {
  const texts = rows.map((row) => row.map((cell) => oneLine(typeof cell === 'string' ? cell : cell.text)))
  // a column that says nothing in any row only takes room
  const natural = heads.map((head, at) => {
    const wide = Math.max(0, ...texts.map((row) => width(row[at] ?? '')))
    return wide === 0 ? 0 : Math.max(wide, width(head.title))
  })
  const widths = columns === undefined ? natural : fitted(natural, heads, columns - GAP)
  const join = (cells: readonly string[]) =>
    `  ${cells.filter((_, at) => widths[at] !== 0).join(' '.repeat(GAP))}`.trimEnd()
  const drawn = (text: string, at: number) => pad(cut(text, widths[at] ?? 0), widths[at] ?? 0, heads[at]?.right)
  return [
    join(heads.map((head, at) => style.dim(drawn(head.title, at)))),
    ...rows.map((row, index) =>
      join(
        row.map((cell, at) => {
          const text = drawn(texts[index]?.[at] ?? '', at)
          return typeof cell === 'string' || !cell.paint ? text : cell.paint(text)
        }),
      ),
    ),
  ]
}

/** Takes from the widest column that may be cut until the row fits, then leaves columns out. */
function fitted(natural: readonly number[], heads: readonly Column[], room: number): readonly number[] {
  const widths = [...natural]
  const total = () => widths.reduce((sum, wide) => sum + (wide === 0 ? 0 : wide + GAP), -GAP)
  for (let over = total() - room; over > 0; over -= 1) {
    let widest = -1
    for (const [at, head] of heads.entries()) {
      const wide = widths[at] ?? 0
      if (head.least !== undefined && wide > head.least && wide > (widths[widest] ?? 0)) widest = at
    }
    if (widest < 0) break
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  if (total() <= room) return widths
  const last = heads.findLastIndex((head, at) => head.optional && natural[at] !== 0)
  if (last < 0) return widths
  return fitted(natural.with(last, 0), heads, room)
}
