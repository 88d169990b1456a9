import type { Progress } from '../run.ts'

/** Milliseconds between lines, where there is no terminal to draw on. */
const LINE_EVERY = 30_000

export interface Meter {
  readonly tell: (progress: Progress) => void
  /** Takes away what was drawn. */
  readonly end: () => void
}

/** Says on standard error how far it has come: in place on a terminal, else a line every half minute. */
export function meter(what: string, count: number, sink: NodeJS.WriteStream = process.stderr): Meter {
  const began = performance.now()
  let next = began + LINE_EVERY
  let drawn = false
  return {
    tell({ faults, answered }) {
      const now = performance.now()
      const rate = faults / ((now - began) / 1_000)
      const text = `${what}: ${faults} of ${count} faults, ${rate.toFixed(1)} a second; ${answered} commands answered in this run`
      if (sink.isTTY) sink.write(`\r\x1b[K${text.slice(0, (sink.columns ?? 80) - 1)}`)
      else if (now >= next) sink.write(`${text}\n`)
      if (now >= next) next = now + LINE_EVERY
      drawn = sink.isTTY === true
    },
    end() {
      if (drawn) sink.write('\r\x1b[K')
      drawn = false
    },
  }
}
