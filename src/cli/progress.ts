import type { RebuildProgress, Runtime } from 'obverse'
import { countText, durationText } from './age.ts'
import type { Sink } from './print.ts'
import { cut, width } from './width.ts'

export interface Progress {
  update(state: RebuildProgress): void
  /** Takes the line away, so that the result stands alone. */
  end(): void
}

/** Columns of the bar. */
const MOST = 30
const LEAST = 6
const LINE_EVERY = 3_000
const DRAW_EVERY = 100

/** Long work: one line that moves on a terminal, a line every few seconds elsewhere. Goes to standard error. */
export function progress(what: string, sink: Sink, runtime: Runtime): Progress {
  let next = 0
  let drawn = false
  return {
    update(state) {
      const now = runtime.elapsed()
      if (now < next) return
      next = now + (sink.isTTY ? DRAW_EVERY : LINE_EVERY)
      if (!sink.isTTY) return void sink.write(`${what}  ${progressText(state)}\n`)
      drawn = true
      sink.write(`\r\x1b[K${line(what, state, (sink.columns ?? 80) - 1)}`)
    },
    end() {
      if (drawn) sink.write('\r\x1b[K')
    },
  }
}

/** `52 %  5,200 of 10,000  1,234/s  4 s left`. */
export function progressText(state: RebuildProgress): string {
  const { position, head, perSecond } = state
  const left = perSecond > 0 && head > position ? `  ${durationText(((head - position) / perSecond) * 1_000)} left` : ''
  return `${Math.floor(share(state) * 100)} %  ${countText(position)} of ${countText(head)}  ${countText(perSecond)}/s${left}`
}

function share({ position, head }: RebuildProgress): number {
  return head === 0 ? 1 : Math.min(1, position / head)
}

/** One line and no more, or it could not be drawn over: the bar takes what room is left. */
function line(what: string, state: RebuildProgress, columns: number): string {
  const text = progressText(state)
  const wide = Math.min(MOST, columns - width(what) - width(text) - 4)
  if (wide < LEAST) return cut(`${what}  ${text}`, columns)
  const full = Math.round(share(state) * wide)
  return `${what}  ${'█'.repeat(full)}${'░'.repeat(wide - full)}  ${text}`
}
