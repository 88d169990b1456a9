/** How a dependency is, now. */
export interface Health {
  readonly ok: boolean
  /** What was looked at, in words: a file, a server, a lag. */
  readonly detail: string
}

/** One thing that somebody who looks after the application should know. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'error'
  readonly subject: string
  readonly says: string
  /** What to do; absent when all is well. */
  readonly remedy?: string
}
