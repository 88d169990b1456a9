import { ObverseError } from '../errors.ts'
import type { Message } from '../message/define.ts'
import type { Envelope } from '../message/envelope.ts'
import { isoTime } from '../runtime/clock.ts'
import type { DeliveryOptions, HandlerContext } from './context.ts'
import type { EffectBody } from './handle.ts'
import type { Job } from './job.ts'
import type { Transaction } from './transaction.ts'
import { type Surroundings, UnitBuilder } from './unit-builder.ts'

/** What a handler sees beside its data; everything costly is made when it is first used. */
export class EffectContext implements HandlerContext<unknown> {
  readonly messageId: string
  readonly attempt: number
  readonly #job: Job
  readonly #around: Surroundings
  readonly #handler: string
  readonly #body: EffectBody
  readonly #tx: Transaction | undefined
  #unit: UnitBuilder | undefined
  #db: unknown
  #signal: AbortSignal | undefined

  constructor(job: Job, around: Surroundings, handler: string, body: EffectBody, tx?: Transaction) {
    this.messageId = job.id
    this.attempt = job.attempt
    this.#job = job
    this.#around = around
    this.#handler = handler
    this.#body = body
    this.#tx = tx
  }

  /** Made when it is needed: most handlers that only answer gather nothing. */
  get unit(): UnitBuilder {
    this.#unit ??= new UnitBuilder(this.#around, this.#job)
    return this.#unit
  }

  get isEmpty(): boolean {
    return this.#unit === undefined || this.#unit.isEmpty
  }

  get message(): Envelope {
    return this.#job.envelope()
  }

  get principal(): string | undefined {
    return this.#job.metadata.principal
  }

  get signal(): AbortSignal {
    const { signal } = this.#job
    const turn = this.#tx?.signal
    this.#signal ??= signal && turn ? AbortSignal.any([signal, turn]) : (signal ?? turn ?? new AbortController().signal)
    return this.#signal
  }

  get db(): unknown {
    if (!this.#tx || !this.#body.db) {
      throw new ObverseError(
        'CONFIGURATION_INVALID',
        `${this.#handler} uses ctx.db but declares no tables; add { db: tables<DB>() } to handle()`,
      )
    }
    this.#db ??= this.#body.db.bind(this.#tx.connection())
    return this.#db
  }

  publish(event: Message<string, unknown, 'event'>): void {
    this.unit.publish(event)
  }

  send(command: Message<string, unknown, 'command'>, options?: DeliveryOptions): string {
    return this.unit.send(command, options)
  }

  cancel(messageId: string): void {
    this.unit.cancel(messageId)
  }

  id(): string {
    return this.#around.runtime.id()
  }

  now(): Date {
    return new Date(isoTime(this.#around.runtime.now()))
  }
}
