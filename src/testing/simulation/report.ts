/** What one seed has come to. */
export interface SimulationReport {
  readonly seed: number
  /** What did not hold, in words; empty: everything did. */
  readonly violations: readonly string[]
  /** Commands that clients have sent. */
  readonly commands: number
  /** Effects of messages that were committed. */
  readonly effects: number
  readonly faults: Faulted
  /** Milliseconds of simulated time. */
  readonly ms: number
  readonly steps: number
  /** The same for every run of the seed: a difference means that something asks the machine for time or chance. */
  readonly fingerprint: number
  /** What happened, line by line, if it was asked for. */
  readonly schedule?: readonly string[]
}

/** Faults of one run, counted. */
export interface Faulted {
  kills: number
  freezes: number
  cuts: number
  skews: number
  /** The view store apart came back empty. */
  forgotten: number
}
