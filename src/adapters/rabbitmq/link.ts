import { ObverseError, outageDelay, type Runtime } from 'obverse'
import { type LinkEvent, type LinkState, next } from './state.ts'

/** What a dialler tells its link, at any time after it was asked to dial. */
export interface Line {
  lost(error: ObverseError): void
  blocked(reason: string): void
  unblocked(): void
}

export interface Dialled<T> {
  readonly value: T
  /** Ends it; resolves when it has ended or cannot be ended any better. Never rejects. */
  close(): Promise<void>
}

export interface LinkOptions<T> {
  /** For people. */
  readonly name: string
  readonly runtime: Runtime
  /** Opens it. `signal` is aborted when nobody wants it any more. @throws {ObverseError} of any kind: all are tried again */
  readonly dial: (line: Line, signal: AbortSignal) => Promise<Dialled<T>>
  /** Told of every change, with the error that caused it. Must not throw. */
  readonly onState?: (state: LinkState, error: ObverseError | undefined) => void
}

/** Open for longer than this, its earlier failures are forgotten. */
const STEADY = 5_000

/**
 * Something that is opened when it is first needed, and made again whenever it is lost, backing off from 50 ms to 5 s, until it is closed:
 * a connection, or an AMQP channel together with what is set up on it.
 */
export class Link<T> {
  readonly name: string
  readonly #options: LinkOptions<T>
  readonly #runtime: Runtime
  readonly #abandon = new AbortController()
  #state: LinkState = 'idle'
  #dialled: Dialled<T> | undefined
  #error: ObverseError | undefined
  /** Failures since it was last open. */
  #failures = 0
  /** The same, and losses; the measure of the wait. */
  #tries = 0
  #openedAt = 0
  #since: number
  #attempt = 0
  #blockedBy: string | undefined
  #waiters: { readonly resolve: (value: T) => void; readonly reject: (error: ObverseError) => void }[] = []
  #cancelTimer: () => void = () => {}
  readonly #ended = Promise.withResolvers<void>()

  constructor(options: LinkOptions<T>) {
    this.name = options.name
    this.#options = options
    this.#runtime = options.runtime
    this.#since = options.runtime.now()
  }

  get state(): LinkState {
    return this.#state
  }

  /** Of the last loss or failure; undefined while it is open. */
  get error(): ObverseError | undefined {
    return this.#dialled ? undefined : this.#error
  }

  /** Epoch ms at which it went into its state, losses and tries between two being open counted as one. */
  get since(): number {
    return this.#since
  }

  get blockedBy(): string | undefined {
    return this.#state === 'blocked' ? this.#blockedBy : undefined
  }

  /** While it is open or blocked. */
  get value(): T | undefined {
    return this.#dialled?.value
  }

  /**
   * Resolves once it is open: waits for a try that runs, or that follows a loss at once, and no longer.
   * @throws {ObverseError} the error of the last try; `BROKER_CLOSED` after `close`
   */
  get(): Promise<T> {
    if (this.#dialled && this.#state !== 'closing') return Promise.resolve(this.#dialled.value)
    if (this.#state === 'closing' || this.#state === 'closed') return Promise.reject(this.#closedError())
    if (this.#state === 'waiting' && this.#failures > 0) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.#step('needed')
    })
  }

  /** What it waits for has come: tries at once. */
  hurry(): void {
    this.#step('due')
  }

  /** Gives it up for good. Resolves when it has ended; twice is once. */
  close(): Promise<void> {
    this.#step('close')
    return this.#ended.promise
  }

  #step(event: LinkEvent, error?: ObverseError): void {
    const state = next(this.#state, event)
    if (state === undefined) return
    const before = this.#state
    this.#state = state
    if (error) this.#error = error
    if (state === 'open' || (state === 'waiting' && before !== 'connecting') || state === 'blocked') {
      this.#since = this.#runtime.now()
    }
    this.#enter(state, before)
    this.#options.onState?.(state, error)
  }

  #enter(state: LinkState, before: LinkState): void {
    this.#cancelTimer()
    this.#cancelTimer = () => {}
    if (state === 'connecting') void this.#connect()
    else if (state === 'open' && before === 'connecting') this.#opened()
    else if (state === 'waiting') this.#wait(before)
    else if (state === 'closing') void this.#end(before)
    else if (state === 'closed') this.#finish()
  }

  async #connect(): Promise<void> {
    this.#attempt += 1
    const attempt = this.#attempt
    const current = () => this.#attempt === attempt
    const line: Line = {
      lost: (error) => {
        if (!current()) return
        // before it is open it counts as a failed try: the dialler rejects, or its result is not used
        if (this.#state === 'connecting') this.#attempt += 1
        this.#step(this.#state === 'connecting' ? 'failed' : 'lost', error)
      },
      blocked: (reason) => {
        if (!current()) return
        this.#blockedBy = reason
        this.#step('blocked')
      },
      unblocked: () => {
        if (current()) this.#step('unblocked')
      },
    }
    try {
      const dialled = await this.#options.dial(line, this.#abandon.signal)
      if (!current() || this.#state !== 'connecting') {
        await dialled.close()
        return
      }
      this.#dialled = dialled
      this.#step('opened')
    } catch (error) {
      if (current()) this.#step('failed', error as ObverseError)
    }
  }

  #opened(): void {
    this.#failures = 0
    this.#error = undefined
    this.#openedAt = this.#runtime.elapsed()
    const { value } = this.#dialled as Dialled<T>
    const waiters = this.#waiters
    this.#waiters = []
    for (const { resolve } of waiters) resolve(value)
  }

  #wait(before: LinkState): void {
    if (before === 'connecting') {
      this.#failures += 1
      this.#rejectAll(this.#error as ObverseError)
    } else {
      this.#dialled = undefined
      if (this.#runtime.elapsed() - this.#openedAt > STEADY) this.#tries = 0
    }
    this.#tries += 1
    this.#cancelTimer = this.#runtime.after(outageDelay(this.#tries, this.#runtime.random), () => this.#step('due'))
  }

  async #end(before: LinkState): Promise<void> {
    this.#abandon.abort()
    this.#rejectAll(this.#closedError())
    // a try that runs is not waited for: what comes of it is closed
    if (before !== 'connecting') await this.#dialled?.close()
    this.#step('ended')
  }

  #finish(): void {
    this.#dialled = undefined
    this.#abandon.abort()
    this.#rejectAll(this.#closedError())
    this.#ended.resolve()
  }

  #rejectAll(error: ObverseError): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const { reject } of waiters) reject(error)
  }

  #closedError(): ObverseError {
    return new ObverseError('BROKER_CLOSED', `The ${this.name} has been closed`)
  }
}
