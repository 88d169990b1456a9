import { ObverseError, type SqlConnection, type SqlResult, type Transaction } from 'obverse'
import type { Tables } from './tables.ts'

/** What the first statement of a handler is rejected with when its message needs no handling: it unwinds the handler. */
export class Unwound extends Error {
  override readonly name = 'Unwound'
  constructor() {
    super('The message was handled before, or is held; this handler is not needed')
  }
}

type State = 'idle' | 'waiting' | 'open' | 'over' | 'stopped' | 'unwound'

/**
 * The writing turn of one handler. It is asked for by the first statement; statements before it opens wait, later
 * ones run at once, in the order they were made.
 */
export class Turn implements Transaction, SqlConnection {
  readonly dialect = 'sqlite'
  readonly #tables: Tables
  readonly #name: string
  readonly #limit: number
  readonly #ask: () => void
  readonly #opened: PromiseWithResolvers<void> = Promise.withResolvers()
  #state: State = 'idle'
  #abort: AbortController | undefined
  #broken: { readonly error: unknown } | undefined

  constructor(tables: Tables, name: string, limit: number, ask: () => void) {
    this.#tables = tables
    this.#name = name
    this.#limit = limit
    this.#ask = ask
  }

  connection(): SqlConnection {
    return this
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.#state === 'stopped') this.#abort.abort(this.tooSlow())
    return this.#abort.signal
  }

  async execute(sql: string, parameters: readonly unknown[]): Promise<SqlResult> {
    if (this.#state === 'idle') {
      this.#state = 'waiting'
      this.#ask()
    }
    if (this.#state === 'waiting') await this.#opened.promise
    if (this.#broken) throw this.#broken.error
    if (this.#state !== 'open') throw this.#over()
    try {
      return this.#tables.execute(sql, parameters)
    } catch (error) {
      if (!this.#tables.inTransaction) this.#broken = { error }
      throw error
    }
  }

  /** Throws what ended the transaction under the handler: it may have caught it, but nothing it wrote is there. */
  assertWhole(): void {
    if (this.#broken) throw this.#broken.error
  }

  /** True when no statement was made; from now on none can be. */
  closeUnused(): boolean {
    if (this.#state !== 'idle') return false
    this.#state = 'over'
    return true
  }

  open(): void {
    this.#state = 'open'
    this.#opened.resolve()
  }

  /** The turn never comes: statements that wait for it are rejected. */
  unwind(error: unknown): void {
    if (this.#state !== 'waiting') return
    this.#state = 'unwound'
    this.#opened.promise.catch(() => {})
    this.#opened.reject(error)
  }

  end(): void {
    if (this.#state === 'open') this.#state = 'over'
  }

  stop(): void {
    this.#state = 'stopped'
    this.#abort?.abort(this.tooSlow())
  }

  tooSlow(): ObverseError {
    return new ObverseError(
      'HANDLER_TOO_SLOW',
      `${this.#name} kept the writing turn for more than ${this.#limit} ms and was rolled back; between its first statement and its end await nothing but ctx.db, or raise turnLimit`,
    )
  }

  #over(): Error {
    if (this.#state === 'unwound') return new Unwound()
    const why = this.#state === 'stopped' ? 'was stopped for taking too long' : 'had ended'
    return new ObverseError(
      'TURN_OVER',
      `${this.#name} used ctx.db after its transaction ${why}; await every statement inside the handler`,
    )
  }
}
