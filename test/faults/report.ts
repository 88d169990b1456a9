import type { Findings } from './audit.ts'
import type { StackName } from './scenario.ts'

/** What a run of a scenario came to. */
export interface Report extends Findings {
  readonly name: string
  readonly stack: StackName
  readonly seed: number
  /** All of the next six, and processes that a poisoned message has ended. */
  readonly faults: number
  readonly kills: number
  /** Processes that were stopped beyond their lease, and continued. */
  readonly stops: number
  /** Processes that were asked to leave. */
  readonly restarts: number
  /** What was done to servers. */
  readonly strikes: number
  /** Commands that failed after they had published. */
  readonly undone: number
  /** How often what handlers depend on went away, each time until somebody had noticed. */
  readonly absences: number
  readonly sent: number
  /** Commands that were refused, of which none should be. */
  readonly refused: number
  /** Commands that were sent again because nothing was known of them, or somebody else was faster. */
  readonly repeated: number
  readonly redelivered: number
  /** Messages that were on their way while consumers left. */
  readonly inHand: number
  /** Messages that the broker had no queue for. */
  readonly returned: number
  /** Transactions that were refused because their message was somebody else's. */
  readonly fenced: number
  /** Attempts that were spent on messages that do not fail by themselves. */
  readonly spent: number
  /** Messages that were given up. */
  readonly dead: number
  /** Processes that a poisoned message has ended. */
  readonly poisoned: number
  /** Milliseconds from a fault until the oldest operation was done that was open then, sorted. */
  readonly recovery: readonly number[]
  /** Milliseconds that the slowest process took to leave. */
  readonly slowestLeave: number
  /** Commands that were answered during a strike, at least. */
  readonly meanwhile: number
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
  return `${report.name} (${report.stack}): ${counts(report)}, recovery p50/max ${recoveryOf(report.recovery)} ms, seed ${report.seed}`
}

/** The sum of many. */
export function total(reports: readonly Report[], versions: string): string {
  const { recovery, ...summed } = sum(reports)
  return `all ${reports.length} on ${versions}: ${counts(summed)}, recovery p50/max ${recoveryOf(recovery)} ms`
}

/** What can be added up of reports, and all their times, sorted. */
export type Sum = Counted & Pick<Report, 'recovery'>

export function sum(reports: readonly Sum[]): Sum {
  const of = (field: keyof Counted) => reports.reduce((all, report) => all + report[field], 0)
  const summed = Object.fromEntries(WORDS.map(([field]) => [field, of(field)])) as unknown as Counted
  return { ...summed, recovery: reports.flatMap(({ recovery }) => recovery).sort((a, b) => a - b) }
}

/** The middle and the longest of sorted times, in whole milliseconds. */
export function middleAndMost(sorted: readonly number[]): { readonly p50: number; readonly max: number } | undefined {
  if (sorted.length === 0) return undefined
  return { p50: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0), max: Math.round(sorted.at(-1) ?? 0) }
}

/** In this order; what is in the second half is left out where there was none. */
const WORDS = [
  ['faults', 'faults', true],
  ['sent', 'sent', true],
  ['lost', 'lost', true],
  ['appliedTwice', 'applied twice', true],
  ['ghosts', 'ghosts', true],
  ['outOfOrder', 'out of order', true],
  ['wrongRows', 'wrong rows', true],
  ['left', 'rows left', true],
  ['redelivered', 'redelivered', true],
  ['repeated', 'repeated', false],
  ['returned', 'returned', false],
  ['undone', 'undone', false],
  ['fenced', 'fenced', false],
  ['inHand', 'on their way', false],
  ['meanwhile', 'answered meanwhile', false],
  ['spent', 'attempts spent', false],
  ['poisoned', 'poisoned', false],
  ['dead', 'dead', false],
] as const

export type Counted = Pick<Report, (typeof WORDS)[number][0]>

export function counts(counted: Counted): string {
  return WORDS.filter(([of, , always]) => always || counted[of] > 0)
    .map(([of, word]) => `${word} ${number.format(counted[of])}`)
    .join(', ')
}

function recoveryOf(sorted: readonly number[]): string {
  const { p50, max } = middleAndMost(sorted) ?? { p50: '-', max: '-' }
  return `${p50}/${max}`
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
  spent: 0,
  dead: 0,
  drained: true,
  odd: [],
} as const
