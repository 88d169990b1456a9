import { type FSWatcher, watch } from 'node:fs'
import type { OpenFile } from './environment.ts'

/**
 * Milliseconds after an event at which the file is looked at. The event comes while the other process is still
 * writing, before its commit can be seen: one look alone would see the commit before.
 */
const LOOKS = [0, 1, 2, 4, 8, 16]

/** Notices what other processes commit: by an event of the file system, and by a look now and then besides. */
export class Wake {
  readonly #environment: OpenFile
  readonly #file: string
  #watcher: FSWatcher | undefined
  #cancelPoll: () => void = () => {}
  #cancelLook: (() => void) | undefined
  #next = 0
  #started = false

  constructor(environment: OpenFile, file: string) {
    this.#environment = environment
    this.#file = file
  }

  start(): void {
    if (this.#started || this.#file === ':memory:') return
    this.#started = true
    this.#watch()
    this.#poll()
  }

  stop(): void {
    this.#started = false
    this.#watcher?.close()
    this.#watcher = undefined
    this.#cancelPoll()
    this.#cancelLook?.()
  }

  #watch(): void {
    try {
      this.#watcher = watch(`${this.#file}-wal`, { persistent: false }, () => this.#announced())
      this.#watcher.on('error', () => this.#unwatch())
    } catch {
      // not there yet, or nothing to watch with: the poll finds what is new
    }
  }

  #unwatch(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }

  #poll(): void {
    const { runtime, settings } = this.#environment
    this.#cancelPoll = runtime.after(settings.poll, () => {
      this.#look()
      if (!this.#started) return
      if (!this.#watcher) this.#watch()
      this.#poll()
    })
  }

  #announced(): void {
    if (this.#cancelLook && this.#next <= 2) return
    this.#next = 0
    this.#step()
  }

  #step(): void {
    this.#cancelLook?.()
    this.#cancelLook = undefined
    if (!this.#started) return
    const from = LOOKS[this.#next] ?? 0
    if (this.#look()) return
    this.#next += 1
    const to = LOOKS[this.#next]
    if (to === undefined) return
    this.#cancelLook = this.#environment.runtime.after(to - from, () => this.#step())
  }

  #look(): boolean {
    try {
      return this.#environment.writer.look()
    } catch {
      return false // a busy or broken file: whoever works with it is told
    }
  }
}
