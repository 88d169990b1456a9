/** Where a process keeps what it has: all that tells one stack from another. */
export type Stores = EmbeddedStores | ServerStores

export interface EmbeddedStores {
  readonly file: string
  /** The file of the broker, where there is one apart. */
  readonly queues?: string
}

/** Addresses. */
export interface ServerStores {
  readonly postgres: string
  /** Without a broker the queue is in the store, … */
  readonly rabbitmq?: string
  /** … and without this one so are the views. */
  readonly mongodb?: string
  /** Somebody is stopped and continued: what is silent must be given up within the test. */
  readonly impatient: boolean
  /** Milliseconds that a statement is waited for, where the database itself falls silent. */
  readonly answerTimeout?: number
}
