/** When a consumer ends by itself. Without any limit it runs until `signal`. */
export interface ConsumeOptions {
  /** Messages. */
  readonly limit?: number
  /** Failed attempts. */
  readonly failureLimit?: number
  /** Milliseconds. */
  readonly timeLimit?: number
  /** Bytes of resident memory. */
  readonly memoryLimit?: number
  /** Ends once nothing is queued, running or due. */
  readonly stopWhenEmpty?: boolean
  /** Overrides that of the channels. */
  readonly concurrency?: number
  readonly signal?: AbortSignal
}

export interface Consumption {
  /** Messages that were settled, each once however many handlers it has: handled, held or given up. */
  readonly handled: number
  /** Failed attempts among them. */
  readonly failed: number
  readonly reason: 'limit' | 'failure-limit' | 'time-limit' | 'memory-limit' | 'empty' | 'signal' | 'stopped'
}
