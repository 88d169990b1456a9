import { command, event, unchecked } from 'obverse'

/** One operation of the load: what its sender remembers and what every trace of it must agree with. */
export interface Op {
  readonly opId: string
  readonly key: string
  readonly amount: number
  /** Its first attempt fails, after it has written. */
  readonly flaky?: boolean
  /** Its command fails, after it has written and published. */
  readonly doomed?: boolean
  /** Ends the process of the handler that has the channel `alone`. */
  readonly poison?: boolean
}

/** `number` counts the operations of a key: 1, 2, 3 … */
export interface Numbered extends Op {
  readonly number: number
}

export const Enter = command('ledger.enter', unchecked<Op>())
export const Entered = event('ledger.entered', unchecked<Numbered>(), { key: (e) => e.key })
