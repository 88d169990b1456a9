import { oneLine } from 'obverse'
import { type Style, styles, wantsColour } from './style.ts'
import { type Cell, type Column, tableLines } from './table.ts'
import { cut, pad, width, wrap } from './width.ts'

/** The part of a stream that output needs. */
export interface Sink {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** Everything a command says. Texts out of messages go through cells, fields or `plain`, which make them harmless. */
export interface Output {
  readonly json: boolean
  readonly style: Style
  /** Columns to fit into; `undefined` when nobody looks at it (a pipe, a file): nothing is cut. */
  readonly columns: number | undefined
  line(text?: string): void
  /** One value as one line of JSON. */
  data(value: unknown): void
  /** A section's heading. */
  title(text: string): void
  /** A dim remark, what to do next. */
  hint(text: string): void
  table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): void
  /** Names and values, aligned; long values go on below, or end with `…`. Empty values are left out. */
  fields(all: readonly (readonly [name: string, value: Cell | undefined])[], long?: 'wrap' | 'cut'): void
  /** To standard error: progress, questions. */
  readonly aside: Sink
}

export function output(options: { stdout: Sink; stderr: Sink; env: NodeJS.ProcessEnv; json: boolean }): Output {
  const { stdout, stderr, env, json } = options
  const style = styles(!json && wantsColour(env, stdout.isTTY === true))
  const columns = stdout.isTTY ? Math.max(40, stdout.columns ?? 80) : undefined
  const line = (text = '') => {
    stdout.write(`${text}\n`)
  }
  return {
    json,
    style,
    columns,
    aside: stderr,
    line,
    data: (value) => line(JSON.stringify(value)),
    title: (text) => line(style.bold(text)),
    hint(text) {
      for (const part of columns === undefined ? [text] : wrap(text, columns)) line(style.dim(part))
    },
    table(heads, rows) {
      for (const text of tableLines(heads, rows, style, columns)) line(text)
    },
    fields(all, long = 'wrap') {
      const shown = all.filter(([, value]) => value !== undefined && textOf(value) !== '')
      const wide = Math.max(0, ...shown.map(([name]) => width(name)))
      for (const [name, value = ''] of shown) {
        const text = oneLine(textOf(value))
        const room = columns === undefined ? Number.POSITIVE_INFINITY : Math.max(20, columns - wide - 4)
        for (const [at, part] of (long === 'cut' ? [cut(text, room)] : wrap(text, room)).entries()) {
          const painted = typeof value === 'string' ? part : (value.paint?.(part) ?? part)
          line(`  ${style.dim(pad(at === 0 ? name : '', wide))}  ${painted}`)
        }
      }
    },
  }
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text
}
