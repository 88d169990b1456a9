import { kindOf, type Runtime } from 'obverse'
import type { Connection } from './connection.ts'
import { busy, closed, isBusy, neighbour, storeError } from './errors.ts'
import { type Job, type JobOptions, Kept } from './job.ts'

/** Jobs of one commit, at most: it bounds how long the event loop stands still. */
const GROUP = 256
/** Commits in a row that go without letting the event loop turn. */
const STRAIGHT = 4
/** Milliseconds after a sign of another writing process during which groups leave it room. */
const POLITE_FOR = 100
const ROOM = 1
/** After a group failed at its commit: jobs of application code that have their commits for themselves. */
const CAREFUL = 1_000

/** Its `then` is the cheapest microtask. */
const SETTLED = Promise.resolve()

const SAVE = 'SAVEPOINT obverse_job'
const RELEASE = 'RELEASE obverse_job'
const UNDO = 'ROLLBACK TO obverse_job'

/**
 * The one connection that writes. A group is what is queued when the lock is taken; each job has a savepoint of its
 * own and fails alone. If an outage fails the commit, every member fails; if a member does, the others are run again,
 * each in a commit of its own, so that no error comes to anybody but whose it is. Waiting for the lock never stops the
 * event loop.
 */
export class Writer {
  readonly connection: Connection
  readonly file: string
  /** Called after a commit that has news, ours or that of another process. */
  onNews: () => void = () => {}
  /** Groups committed so far. */
  commits = 0
  readonly #runtime: Runtime
  readonly #lockTimeout: number
  readonly #shared: boolean
  #queue: Job[] = []
  #scheduled = false
  /** A group is under way, or the lock is waited for. */
  #busy = false
  #crowded = false
  #straight = 0
  #refusals = 0
  #careful = 0
  #politeUntil = 0
  #roomUntil = 0
  #version = -1
  #closing = false
  #idle: (() => void)[] = []
  #ended: (() => void)[] = []

  constructor(connection: Connection, file: string, runtime: Runtime, lockTimeout: number) {
    this.connection = connection
    this.file = file
    this.#runtime = runtime
    this.#lockTimeout = lockTimeout
    this.#shared = file !== ':memory:'
  }

  /** Runs `run` in the next group; resolves or rejects after its commit. */
  submit<T>(run: () => T | Kept | Promise<T | Kept>, options: JobOptions<T> = {}): Promise<T> {
    if (this.#closing) return Promise.reject(closed(this.file))
    return new Promise<T>((resolve, reject) => {
      const job = {
        run,
        options,
        resolve,
        reject,
        since: 0,
        begun: false,
        failed: false,
        outcome: undefined,
        alone: false,
      }
      this.#queue.push(job)
      if (!this.#scheduled && !this.#busy) this.#schedule()
    })
  }

  /** Resolves when nothing is queued or under way; `undefined` when that is so now. */
  quiet(): Promise<void> | undefined {
    if (!this.#busy && !this.#scheduled) return undefined
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Resolves when the open transaction has ended, before the next begins; `undefined` when none is open. */
  ended(): Promise<void> | undefined {
    if (!this.connection.db.isOpen || !this.connection.db.isTransaction) return undefined
    return new Promise((resolve) => this.#ended.push(resolve))
  }

  /** Has anybody else committed since the last look? Says so to `onNews`. */
  look(): boolean {
    // a group that is about to begin looks by itself
    if (!this.#shared || this.#busy || this.#scheduled || !this.connection.db.isOpen) return false
    const changed = this.#noticeOthers()
    if (changed) this.onNews()
    return changed
  }

  /** Takes no more jobs; resolves when those it has are done. */
  async close(): Promise<void> {
    this.#closing = true
    await this.quiet()
  }

  #noticeOthers(): boolean {
    const { data_version: version } = this.connection.get<{ data_version: number }>('PRAGMA data_version') as {
      data_version: number
    }
    if (version === this.#version) return false
    const first = this.#version === -1
    this.#version = version
    if (first) return false
    this.#politeUntil = this.#runtime.elapsed() + POLITE_FOR
    return true
  }

  /**
   * One caller at a time is served at once, in a microtask. Where several come, the group is taken after the event
   * loop has read what has arrived, so that it holds as many of them as possible.
   */
  #schedule(): void {
    this.#scheduled = true
    const room = this.#roomUntil === 0 ? 0 : this.#roomUntil - this.#runtime.elapsed()
    if (room > 0) {
      this.#runtime.after(Math.ceil(room), this.#begin)
    } else if (this.#crowded || this.#straight >= STRAIGHT) {
      this.#straight = 0
      setImmediate(this.#begin)
    } else {
      this.#straight += 1
      SETTLED.then(this.#begin)
    }
  }

  readonly #begin = (): void => {
    this.#scheduled = false
    if (this.#queue.length === 0) {
      this.#rest()
      return
    }
    this.#busy = true
    const group = this.#take()
    try {
      if (group[0]?.options.unchecked) this.connection.db.exec('PRAGMA foreign_keys = OFF')
      this.connection.run('BEGIN IMMEDIATE')
      if (this.#shared && this.#noticeOthers()) queueMicrotask(() => this.onNews())
    } catch (error) {
      if (this.connection.db.isTransaction) this.connection.db.exec('ROLLBACK')
      if (isBusy(error)) this.#wait(group)
      else {
        const mapped = storeError(error, this.file)
        for (const job of group) job.reject(mapped)
        this.#rest()
      }
      return
    }
    this.#refusals = 0
    this.#crowded = group.length > 1
    this.#work(group, 0)
  }

  #take(): Job[] {
    const alone = this.#queue.findIndex((job) => this.#isAlone(job))
    const most = alone === 0 ? 1 : alone > 0 ? Math.min(alone, GROUP) : GROUP
    if (this.#queue.length > most) return this.#queue.splice(0, most)
    const group = this.#queue
    this.#queue = []
    return group
  }

  #isAlone({ alone, options }: Job): boolean {
    return alone || options.unchecked === true || (this.#careful > 0 && options.once === true)
  }

  /** Asks again in a moment; those who have waited for too long are told. */
  #wait(group: Job[]): void {
    const now = this.#runtime.elapsed()
    this.#politeUntil = now + POLITE_FOR
    if (group[0]?.options.unchecked) this.connection.db.exec('PRAGMA foreign_keys = ON')
    this.#refusals += 1
    const waiting = group.filter((job) => {
      job.since ||= now
      if (now - job.since < (job.options.patience ?? this.#lockTimeout)) return true
      job.reject(busy(this.file))
      return false
    })
    this.#queue = [...waiting, ...this.#queue]
    if (this.#queue.length === 0) {
      this.#rest()
      return
    }
    const pause = Math.min(1 + this.#refusals / 4, 5)
    this.#runtime.after(pause + this.#runtime.random(), this.#begin)
  }

  #work(group: Job[], from: number): void {
    const alone = group.length === 1
    for (let at = from; at < group.length; at += 1) {
      const job = group[at] as Job
      let outcome: unknown
      try {
        if (!alone) this.connection.run(SAVE)
        job.begun = true
        outcome = job.run()
      } catch (error) {
        if (this.#undo(group, job, error)) continue
        return
      }
      if (outcome instanceof Promise) {
        outcome.then(
          (value) => {
            if (this.#keep(group, job, value)) this.#work(group, at + 1)
          },
          (error) => {
            if (this.#undo(group, job, error)) this.#work(group, at + 1)
          },
        )
        return
      }
      if (!this.#keep(group, job, outcome)) return
    }
    this.#finish(group)
  }

  /** False: the transaction is gone, and the group with it. */
  #keep(group: Job[], job: Job, outcome: unknown): boolean {
    job.outcome = outcome
    if (group.length === 1) return true
    try {
      this.connection.run(RELEASE)
      return true
    } catch (error) {
      this.#abandon(group, error)
      return false
    }
  }

  #undo(group: Job[], job: Job, error: unknown): boolean {
    job.failed = true
    job.outcome = storeError(error, this.file)
    if (group.length === 1 && this.connection.db.isTransaction) return true
    try {
      this.connection.run(UNDO)
      this.connection.run(RELEASE)
      return true
    } catch {
      // a full disk or a failed read has rolled back everything, what others of the group wrote too
      this.#abandon(group, error)
      return false
    }
  }

  /** Nothing of the group is kept. Whoever had no part in it is run again. */
  #abandon(group: Job[], error: unknown): void {
    if (this.connection.db.isTransaction) this.connection.db.exec('ROLLBACK')
    const mapped = storeError(error, this.file)
    const shared = kindOf(mapped) !== 'outage'
    if (shared) this.#careful = CAREFUL
    const again: Job[] = []
    for (const job of group) {
      if (job.failed) job.reject(job.outcome)
      else if (!shared || group.length === 1) job.reject(mapped)
      else if (job.options.once && job.begun) job.reject(neighbour(this.file, mapped))
      else again.push(Object.assign(job, { alone: true, begun: false, outcome: undefined }))
    }
    this.#queue = [...again, ...this.#queue]
    this.#after(group)
  }

  /** Nothing can be said of the group's members. */
  #fail(group: Job[], error: unknown): void {
    if (this.connection.db.isTransaction) this.connection.db.exec('ROLLBACK')
    const mapped = storeError(error, this.file)
    for (const job of group) job.reject(job.failed ? job.outcome : mapped)
    this.#after(group)
  }

  #finish(group: Job[]): void {
    if (this.#runtime.reach) {
      this.#finishWatched(group, this.#runtime.reach)
      return
    }
    try {
      this.#commit(group)
    } catch (error) {
      this.#abandon(group, error)
      return
    }
    this.#tell(group)
  }

  async #finishWatched(group: Job[], reach: NonNullable<Runtime['reach']>): Promise<void> {
    try {
      await reach('commit.before')
    } catch (error) {
      this.#fail(group, error)
      return
    }
    try {
      this.#commit(group)
    } catch (error) {
      this.#abandon(group, error)
      return
    }
    try {
      await reach('commit.after')
    } catch (error) {
      this.#fail(group, error)
      return
    }
    this.#tell(group)
  }

  #commit(group: Job[]): void {
    if (group.length === 1 && group[0]?.failed) {
      this.connection.run('ROLLBACK')
      return
    }
    this.connection.run('COMMIT')
    this.commits += 1
    if (this.#careful > 0 && group[0]?.options.once) this.#careful -= 1
  }

  #tell(group: Job[]): void {
    let news = false
    for (const { failed, outcome, options, resolve, reject } of group) {
      if (failed) {
        reject(outcome)
        continue
      }
      if (options.news !== false) news = true
      if (outcome instanceof Kept) {
        reject(outcome.error)
        continue
      }
      options.committed?.(outcome as never)
      resolve(outcome as never)
    }
    this.#after(group)
    if (news) this.onNews()
  }

  #after(group: Job[]): void {
    if (group[0]?.options.unchecked) this.connection.db.exec('PRAGMA foreign_keys = ON')
    this.#roomUntil = 0
    if (this.#politeUntil > 0) {
      const now = this.#runtime.elapsed()
      if (now < this.#politeUntil) this.#roomUntil = now + ROOM
      else this.#politeUntil = 0
    }
    if (this.#ended.length > 0) {
      for (const resolve of this.#ended) resolve()
      this.#ended = []
    }
    this.#rest()
  }

  #rest(): void {
    this.#busy = false
    if (this.#queue.length > 0) {
      if (!this.#scheduled) this.#schedule()
      return
    }
    const idle = this.#idle
    if (idle.length === 0) return
    this.#idle = []
    for (const resolve of idle) resolve()
  }
}
