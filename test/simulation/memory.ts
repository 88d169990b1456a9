import type { Op, ViewName } from './messages.ts'

/** What clients and people remember, to be compared with what is there in the end. */
export class Memory {
  readonly ops: Map<string, Op> = new Map()
  /** Operations that were answered. */
  readonly answered: Set<string> = new Set()
  readonly notes: Map<string, { readonly messageId: string; readonly fails: boolean; readonly cancels: boolean }> =
    new Map()
  /** What queries with a token were answered. */
  readonly reads: Read[] = []
  /** `HANDLER OP` of dead letters that people gave up for good. */
  readonly skipped: Set<string> = new Set()
  /** What was wrong as soon as it was seen. */
  readonly wrong: string[] = []
}

export interface Read {
  readonly view: ViewName
  readonly opId: string
  readonly count: number
}
