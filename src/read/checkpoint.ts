/**
 * PORT. How far a reader of the log has come, and which generation of a view is served.
 *
 * A checkpoint moves only from the value its holder believes in, so a zombie cannot set it back.
 */
export interface Checkpoints {
  /** 0 for a reader that has not been seen. */
  get(name: string): Promise<number>
  /** Moves `name` from `from` to `to`; false (and nothing moved) when it is not at `from`. */
  advance(name: string, from: number, to: number): Promise<boolean>
  remove(name: string): Promise<void>
  all(): Promise<readonly { readonly name: string; readonly position: number }[]>
  /** Which generation of a view is served, and which is being built. `{ serving: 1 }` for a view not seen before. */
  generation(view: string): Promise<Generation>
  /** Replaces `expected` by `next`; false when it is not there any more. The switch of a rebuild is this. */
  setGeneration(view: string, expected: Generation, next: Generation): Promise<boolean>
}

export interface Generation {
  readonly serving: number
  /** A rebuild is under way into this one. */
  readonly building?: number
  /** After a switch: the log feed goes on into `serving` until it has passed this position. */
  readonly followTo?: number
  /** Kept for rollback and for readers that hold it, until dropped. */
  readonly previous?: number
}
