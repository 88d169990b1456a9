import { isObverseError, ObverseError, type SqlConnection, type SqlResult, type Transaction } from 'obverse'
import type { Connection } from './connection.ts'
import { statementError } from './errors.ts'
import { mayViolate, statementOf } from './tables.ts'

/** What the first statement of a handler is rejected with when its message needs no handling: it unwinds the handler. */
export class Unwound extends Error {
  override readonly name = 'Unwound'
  constructor() {
    super('The message was handled before, or is held; this handler is not needed')
  }
}

const SAVEPOINT = 'SAVEPOINT obverse_statement'

type State = 'idle' | 'waiting' | 'open' | 'over' | 'stopped' | 'unwound'

/**
 * The transaction of one handler. It is asked for by the first statement; statements before it is open wait, later ones
 * run in the order they were made. A statement that fails takes back itself only, as on SQLite: it has a savepoint.
 */
export class Turn implements Transaction, SqlConnection {
  readonly dialect = 'postgres'
  readonly #name: string
  readonly #limit: number
  readonly #server: string
  readonly #ask: () => void
  readonly #opened: PromiseWithResolvers<Connection> = Promise.withResolvers()
  #connection: Connection | undefined
  #state: State = 'idle'
  #abort: AbortController | undefined
  #broken: { readonly error: unknown } | undefined
  /** The last statement with a savepoint: while it runs, nothing else is sent. */
  #guarded: Promise<unknown> = Promise.resolve()
  /** Statements of the handler that have not ended. */
  #running = 0
  #quiet: (() => void) | undefined
  /** Begins anew, while nothing was done that this would take back or see with other eyes. */
  #restart: string | undefined
  /** There is a savepoint. */
  #saved = false

  constructor(name: string, limit: number, server: string, ask: () => void) {
    this.#name = name
    this.#limit = limit
    this.#server = server
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
      this.#opened.promise.catch(() => {})
      this.#ask()
    }
    if (this.#state === 'waiting') await this.#opened.promise
    if (this.#broken) throw this.#broken.error
    if (this.#state !== 'open' || !this.#connection) throw this.#over()
    this.#running += 1
    try {
      return await this.#run(this.#connection, sql, parameters)
    } finally {
      this.#running -= 1
      if (this.#running === 0) this.#quiet?.()
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

  /** `restart`: ends the transaction and begins it again, which nobody can tell while nothing was asked in it. */
  open(connection: Connection, restart?: string): void {
    this.#connection = connection
    this.#restart = restart
    this.#state = 'open'
    this.#opened.resolve(connection)
  }

  /** The turn never comes: statements that wait for it are rejected. */
  unwind(error: unknown): void {
    if (this.#state !== 'waiting') return
    this.#state = 'unwound'
    this.#opened.reject(error)
  }

  /** No statement can be made any more. Resolves when those that were not awaited have ended. */
  async end(): Promise<void> {
    if (this.#state === 'open') this.#state = 'over'
    if (this.#running === 0) return
    await new Promise<void>((resolve) => {
      this.#quiet = resolve
    })
  }

  stop(): void {
    this.#state = 'stopped'
    this.#abort?.abort(this.tooSlow())
  }

  tooSlow(): ObverseError {
    return new ObverseError(
      'HANDLER_TOO_SLOW',
      `${this.#name} kept its transaction open for more than ${this.#limit} ms and was rolled back; between its first statement and its end await nothing slow but ctx.db, or raise turnLimit`,
    )
  }

  /**
   * What a handler starts at once would share one savepoint: the failure of one would fail its neighbours, and the way back would
   * take away what others were told is done.
   */
  async #run(connection: Connection, sql: string, parameters: readonly unknown[]): Promise<SqlResult> {
    try {
      const before = this.#guarded
      const run = (send: typeof statementOf) =>
        before.then(() => {
          this.#assertRunning()
          return send(connection, sql, parameters)
        })
      if (!mayViolate(sql)) {
        this.#restart = undefined
        return await run(statementOf)
      }
      const mine = run(this.#guard)
      this.#guarded = mine.catch(() => {})
      return await mine
    } catch (error) {
      const known = statementError(error, this.#server)
      if (isObverseError(known, 'STORE_UNREACHABLE') || isObverseError(known, 'CONFLICT'))
        this.#broken = { error: known }
      throw known
    }
  }

  /**
   * What fails takes back itself only. The first statement needs no savepoint for that, because there is nothing that had to
   * stay. The savepoint of the one before is given back with the next one, in the same flight; it costs no round trip.
   */
  readonly #guard: typeof statementOf = async (connection, sql, parameters) => {
    const restart = this.#restart
    this.#restart = undefined
    if (restart !== undefined) {
      try {
        return await statementOf(connection, sql, parameters)
      } catch (error) {
        await connection.execute(restart).catch((lost) => {
          // outside of a transaction every statement would commit itself
          this.#broken = { error: lost }
        })
        throw error
      }
    }
    const saving = connection.execute(this.#saved ? `RELEASE ${SAVEPOINT}; ${SAVEPOINT}` : SAVEPOINT)
    const [saved, result] = await Promise.allSettled([saving, statementOf(connection, sql, parameters)])
    // where it could not be made, nothing is taken back: an older one of the same name would take more with it
    if (saved.status === 'rejected') throw saved.reason
    this.#saved = true
    if (result.status === 'fulfilled') return result.value
    await connection.execute(`ROLLBACK TO ${SAVEPOINT}`).catch(() => {})
    throw result.reason
  }

  /** For statements that have waited for another one. */
  #assertRunning(): void {
    this.assertWhole()
    if (this.#state === 'stopped') throw this.#over()
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
