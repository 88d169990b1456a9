import type { Findings } from './audit.ts'

/** What a run of a scenario came to. */
export interface Report extends Findings {
  readonly name: string
  readonly seed: number
  readonly kills: number
  readonly sent: number
  /** Commands that were refused, of which none should be. */
  readonly refused: number
  readonly redelivered: number
  /** Transactions that were refused because their message was somebody else's. */
  readonly fenced: number
  /** Messages that were given up. */
  readonly dead: number
  /** Processes that a poisoned message has ended. */
  readonly poisoned: number
  /** Milliseconds from a kill until others went on with what the process had in hand, sorted. */
  readonly recovery: readonly number[]
  /** It came to rest by itself. */
  readonly drained: boolean
  /** Only with a poisoned message. */
  readonly parking?: Parking
  readonly odd: readonly string[]
}

export interface Parking {
  /** Dead letters of the poisoned message. */
  readonly deadLetters: number
  readonly code: string
  /** The dead letter has the message as it was. */
  readonly body: boolean
  /** Effects of the key that came after the poison, while it was parked. */
  readonly overtook: number
  readonly waiting: number
  /** Effects of other keys meanwhile. */
  readonly others: number
}

const number = new Intl.NumberFormat('en-US')

/** One line for people. */
export function line(report: Report): string {
  const { name, kills, sent, lost, appliedTwice, ghosts, outOfOrder, wrongRows, left, redelivered, seed } = report
  const counts = { kills, sent, lost, 'applied twice': appliedTwice, ghosts, 'out of order': outOfOrder }
  const more = {
    'wrong rows': wrongRows,
    left,
    redelivered,
    fenced: report.fenced,
    poisoned: report.poisoned,
    dead: report.dead,
  }
  const optional = new Set(['fenced', 'poisoned', 'dead'])
  const words = Object.entries({ ...counts, ...more })
    .filter(([word, count]) => count > 0 || !optional.has(word))
    .map(([word, count]) => `${word} ${number.format(count)}`)
  return `${name}: ${words.join(', ')}, recovery p50/max ${recoveryOf(report.recovery)} ms, seed ${seed}`
}

function recoveryOf(sorted: readonly number[]): string {
  if (sorted.length === 0) return '-/-'
  return `${Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0)}/${Math.round(sorted.at(-1) ?? 0)}`
}

/** What a report has to say where nothing was lost, in the words of its fields. */
export const EXACT = {
  lost: 0,
  appliedTwice: 0,
  ghosts: 0,
  outOfOrder: 0,
  wrongRows: 0,
  left: 0,
  leftRows: [],
  refused: 0,
  dead: 0,
  drained: true,
  odd: [],
} as const

/** The sum of many. */
export function total(reports: readonly Report[]): string {
  const sum = (of: (report: Report) => number) => number.format(reports.reduce((all, report) => all + of(report), 0))
  const recovery = reports.flatMap((report) => report.recovery).sort((a, b) => a - b)
  return (
    `all ${reports.length}: kills ${sum((r) => r.kills)}, sent ${sum((r) => r.sent)}, lost ${sum((r) => r.lost)}, ` +
    `applied twice ${sum((r) => r.appliedTwice)}, ghosts ${sum((r) => r.ghosts)}, ` +
    `out of order ${sum((r) => r.outOfOrder)}, wrong rows ${sum((r) => r.wrongRows)}, ` +
    `redelivered ${sum((r) => r.redelivered)}, recovery p50/max ${recoveryOf(recovery)} ms`
  )
}
