/** State of an aggregate after its event number `seq`, so that a long stream need not be folded from its start. */
export interface Snapshot {
  readonly seq: number
  readonly state: unknown
}

/** A snapshot to keep: replaces the one before under the same name and key. */
export interface NewSnapshot extends Snapshot {
  readonly name: string
  readonly key: string
  /** Version of the state's shape; another version is ignored on load. */
  readonly version: number
}
