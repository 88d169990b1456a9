import { command, event, query, unchecked } from 'obverse'

/** One operation of the load. */
export interface Op {
  readonly opId: string
  readonly key: string
  readonly amount: number
  /** Its first attempt at the channel `alone` fails. */
  readonly flaky?: boolean
  /** It fails at the channel `alone` until somebody has mended what is wrong with it, … */
  readonly poison?: boolean
  /** … and ends its process there, whenever it is handled. */
  readonly crashes?: boolean
}

/** `number` counts the operations of a key: 1, 2, 3 … */
export interface Numbered extends Op {
  readonly number: number
}

export const Enter = command('ledger.enter', unchecked<Op>())
export const Entered = event('ledger.entered', unchecked<Numbered>(), { key: (e) => e.key })

/** What a handler has done, as an event of a key of its own. */
export interface Done {
  readonly lane: string
  readonly key: string
  readonly opId: string
  readonly number: number
}
export const Applied = event('ledger.applied', unchecked<Done>(), { key: (e) => `${e.lane} ${e.key}` })

/** Sent by a handler, to be handled later. */
export const Remind = command('ledger.remind', unchecked<{ readonly opId: string; readonly key: string }>())
export const Reminded = event('ledger.reminded', unchecked<Reminding>(), { key: (e) => `reminded ${e.opId}` })

export interface Reminding {
  readonly opId: string
  /** Message id of the reminder. */
  readonly reminder: string
  /** Epoch ms by the clock of who was reminded. */
  readonly at: number
}

/** An asynchronous command of a client. */
export const Note = command('ledger.note', unchecked<{ readonly noteId: string; readonly fails?: boolean }>())
export const Noted = event('ledger.noted', unchecked<{ readonly noteId: string }>(), { key: (e) => `note ${e.noteId}` })

/** A row of a counting view. */
export interface Sum {
  readonly name: string
  readonly count: number
  readonly total: number
}

export const VIEWS = ['by_log', 'by_channel', 'at_once', 'apart', 'gathered', 'tally'] as const
export type ViewName = (typeof VIEWS)[number]

export const SumOf = query(
  'ledger.sum',
  unchecked<{ readonly view: ViewName; readonly name: string }>(),
  unchecked<Sum | null>(),
)
