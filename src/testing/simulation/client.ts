import {
  type App,
  type AskOptions,
  isObverseError,
  kindOf,
  type Message,
  type Receipt,
  type SendOptions,
  type Sent,
} from 'obverse'
import type { Cluster } from './cluster.ts'
import type { World } from './world.ts'

/** Milliseconds after which a client thinks that nobody answers. */
const PATIENCE = 4_000

export type Answer = Sent<unknown> | Receipt<unknown>

/** What happens outside of the processes: it survives them all, and repeats what was not answered under the same idempotency key. */
export class Client {
  readonly world: World
  readonly #cluster: Cluster
  sent = 0

  constructor(cluster: Cluster, world: World) {
    this.world = world
    this.#cluster = cluster
  }

  get random(): () => number {
    return this.world.random
  }

  pause(ms: number): Promise<void> {
    return this.world.pause(ms)
  }

  /** Until it is answered. @throws refusals, and what is no outage */
  async send(message: Message<string, unknown, 'command'>, options: SendOptions = {}): Promise<Answer> {
    this.sent += 1
    const idempotencyKey = options.idempotencyKey ?? `client-${this.sent}`
    return this.#until(
      `send ${message.type}`,
      (app) => app.send(message, { ...options, idempotencyKey }) as Promise<Answer>,
    )
  }

  /** Once, by any process. Resolves with `undefined` when nobody answers. @throws as `app.ask` */
  async ask<R>(message: Message<string, unknown, 'query', R>, options?: AskOptions): Promise<R | undefined> {
    const answered = await this.#within((app) => app.ask(message, options).then((answer) => ({ answer })))
    return answered?.answer
  }

  /** What an operator does, by any process that lives, until it was done. */
  operate<R>(what: string, work: (app: App) => Promise<R>): Promise<R> {
    return this.#until(what, work, 'consumer')
  }

  async #until<R>(what: string, work: (app: App) => Promise<R>, role: 'api' | 'consumer' = 'api'): Promise<R> {
    for (;;) {
      try {
        const answered = await this.#within((app) => work(app).then((answer) => ({ answer })), role)
        if (answered) {
          this.world.note('client', `${what} is answered`)
          return answered.answer
        }
      } catch (error) {
        if (!isToRepeat(error)) throw error
      }
      await this.pause(this.world.between(10, 400))
    }
  }

  /** What a dead process was asked is never answered. */
  async #within<R>(work: (app: App) => Promise<R>, role: 'api' | 'consumer' = 'api'): Promise<R | undefined> {
    const member = this.world.pick(this.#cluster.members(role))
    if (!member) return undefined
    const silence = Promise.withResolvers<undefined>()
    const cancel = this.world.after(PATIENCE, () => silence.resolve(undefined))
    try {
      return await Promise.race([work(member.app), silence.promise])
    } finally {
      cancel()
    }
  }
}

function isToRepeat(error: unknown): boolean {
  return (
    kindOf(error) === 'outage' || isObverseError(error, 'CONFLICT') || isObverseError(error, 'IDEMPOTENCY_IN_PROGRESS')
  )
}
