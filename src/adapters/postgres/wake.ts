import type { Runtime } from 'obverse'
import type { Settings } from './options.ts'
import type { Kept, Sessions } from './pool.ts'

const CHANNEL = 'obverse_news'

/**
 * Tells others of commits, and is told. Only a hint, without content: at most one NOTIFY in `notifyEvery` ms, in a
 * transaction of its own (inside every commit it would let one commit at a time through the whole cluster), and a look
 * every `poll` ms besides, for hints that were lost.
 */
export class Wake {
  readonly #sessions: Sessions
  readonly #runtime: Runtime
  readonly #settings: Settings
  readonly #onNews: () => void
  #kept: Kept | undefined
  #laying: Promise<void> | undefined
  #cancelPoll: () => void = () => {}
  #cancelNotify: (() => void) | undefined
  #notified = Number.NEGATIVE_INFINITY
  #started = false

  constructor(sessions: Sessions, runtime: Runtime, settings: Settings, onNews: () => void) {
    this.#sessions = sessions
    this.#runtime = runtime
    this.#settings = settings
    this.#onNews = onNews
  }

  start(): void {
    if (this.#started) return
    this.#started = true
    void this.#listen()
    this.#poll()
  }

  async stop(): Promise<void> {
    this.#started = false
    this.#cancelPoll()
    this.#cancelNotify?.()
    this.#cancelNotify = undefined
    await this.#laying
    this.#kept?.end()
    this.#kept = undefined
  }

  /** Tells the others, soon. */
  tell(): void {
    const { notifyEvery } = this.#settings
    if (!this.#started || notifyEvery === 0 || this.#cancelNotify) return
    const wait = Math.max(0, this.#notified + notifyEvery - this.#runtime.elapsed())
    this.#cancelNotify = this.#runtime.after(wait, () => {
      this.#cancelNotify = undefined
      this.#notified = this.#runtime.elapsed()
      // a hint that is lost costs a poll
      this.#kept?.connection.execute(`NOTIFY ${CHANNEL}`).catch(() => {})
    })
  }

  #poll(): void {
    this.#cancelPoll = this.#runtime.after(this.#settings.poll, () => {
      if (!this.#started) return
      this.#onNews()
      if (!this.#kept) void this.#listen()
      this.#poll()
    })
  }

  #listen(): Promise<void> {
    this.#laying ??= this.#lay().finally(() => {
      this.#laying = undefined
    })
    return this.#laying
  }

  /** A session of its own; while it is down there are looks, and the next look tries again. */
  async #lay(): Promise<void> {
    try {
      const kept = await this.#sessions.keep(() => {
        this.#kept = undefined
      })
      if (!this.#started) {
        kept.end()
        return
      }
      const { client } = kept.connection
      const own = (client as unknown as { processID?: number }).processID
      client.on('notification', ({ processId }) => {
        if (processId !== own && this.#started) this.#onNews()
      })
      this.#kept = kept
      await kept.connection.execute(`LISTEN ${CHANNEL}`)
    } catch {
      // an outage: whoever works with the server is told
    }
  }
}
