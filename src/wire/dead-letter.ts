import type { HeldState } from './held.ts'

/** PORT. The dead letters, for people: every action is by id and leaves a trace in the row. */
export interface DeadLetters {
  list(filter?: DeadLetterFilter): Promise<readonly DeadLetter[]>
  get(id: number): Promise<DeadLetter | undefined>
  /**
   * Runs it again with its attempts at zero, its message id and its place kept; true if it was there and dead. A message
   * that no handler was found for goes to its channel again. The status of a command is `pending` again.
   */
  retry(id: number): Promise<boolean>
  /**
   * As `retry`, with another body under the same message id; the first body is kept.
   * @throws {ObverseError} `VALIDATION_FAILED` for a body that carries another id
   */
  edit(id: number, body: string): Promise<boolean>
  /** Given up for good, on record: what waits behind it goes on. A command that no handler was found for has failed. */
  skip(id: number, note?: string): Promise<boolean>
  /**
   * Takes back dead letters that were refused for an unknown type or version (no handler on their channel counts as
   * unknown) and are known to `knows` now: they go to their channel again. Returns how many.
   */
  reclaim(knows: (type: string, version: number, channel: string) => boolean): Promise<number>
}

export interface DeadLetterFilter {
  readonly handler?: string
  readonly channel?: string
  readonly key?: string
  readonly code?: string
  readonly messageId?: string
  /** Default `dead`. */
  readonly state?: HeldState
  /** Default 100, at most 1,000. */
  readonly limit?: number
  /** Ids above this one, for paging. */
  readonly after?: number
}

export interface DeadLetter {
  readonly id: number
  /** `null`: the bytes could not be read. */
  readonly messageId: string | null
  readonly type: string | null
  readonly channel: string
  /** `null`: no handler was found. */
  readonly handler: string | null
  readonly key: string | null
  readonly state: HeldState
  readonly attempts: number
  readonly code: string
  readonly reason: string
  readonly detail: string
  /** ISO 8601. */
  readonly at: string
  /** Messages of the same lane that wait behind it. */
  readonly behind: number
  /** The message exactly as it came. */
  readonly body: string
  /** Before the first edit, if it was edited. */
  readonly originalBody?: string
  readonly note?: string
}
