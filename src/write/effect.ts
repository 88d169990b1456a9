import { ObverseError } from '../errors.ts'
import type { Message } from '../message/define.ts'
import type { Envelope } from '../message/envelope.ts'
import { isoTime } from '../runtime/clock.ts'
import type { DeliveryOptions, HandlerContext } from './context.ts'
import type { AnyHandler, HandlerBody } from './handle.ts'
import type { Job } from './job.ts'
import type { Entry, Outcome, Transaction, Transactions, Unit } from './transaction.ts'
import { type Surroundings, UnitBuilder } from './unit-builder.ts'

type EffectBody = Extract<HandlerBody, { kind: 'effect' }>

/** Runs a handler with any effect, and commits what it gathered with the tables it wrote. */
export async function runEffect(
  handler: AnyHandler,
  body: EffectBody,
  job: Job,
  entry: Entry,
  transactions: Transactions,
  around: Surroundings,
): Promise<{ outcome: Outcome; result: unknown }> {
  const run = body.run as (data: unknown, context: HandlerContext<unknown>) => unknown
  let result: unknown
  const gather = async (tx?: Transaction): Promise<Unit> => {
    const unit = new UnitBuilder(around, job)
    const context = new EffectContext(job, unit, around, handler, body, tx)
    result = await run(job.data, context)
    return unit.build(job.more(result))
  }
  if (body.db) return { outcome: await transactions.transact(entry, gather), result }
  const guarded = entry.delivery !== undefined || entry.claim !== undefined
  const ended = guarded ? await transactions.enter(entry) : undefined
  if (ended) return { outcome: ended, result }
  let unit: Unit
  try {
    unit = await gather()
  } catch (error) {
    // The refusal of a claimed command is committed in the place of its work, and thrown again from there.
    if (!entry.claim || !entry.refusal?.(error)) throw error
    const refused = () => {
      throw error
    }
    return { outcome: await transactions.transact(entry, refused as unknown as () => Promise<Unit>), result }
  }
  if (!guarded && isEmpty(unit)) return { outcome: NOTHING, result }
  return { outcome: await transactions.commit(entry, unit), result }
}

const NOTHING: Outcome = { kind: 'committed', events: [] }

function isEmpty(unit: Unit): boolean {
  return unit.events.length === 0 && unit.messages.length === 0 && unit.cancel === undefined
}

class EffectContext implements HandlerContext<unknown> {
  readonly messageId: string
  readonly attempt: number
  readonly #job: Job
  readonly #unit: UnitBuilder
  readonly #around: Surroundings
  readonly #handler: AnyHandler
  readonly #body: EffectBody
  readonly #tx: Transaction | undefined
  #db: unknown
  #signal: AbortSignal | undefined

  constructor(
    job: Job,
    unit: UnitBuilder,
    around: Surroundings,
    handler: AnyHandler,
    body: EffectBody,
    tx: Transaction | undefined,
  ) {
    this.messageId = job.id
    this.attempt = job.attempt
    this.#job = job
    this.#unit = unit
    this.#around = around
    this.#handler = handler
    this.#body = body
    this.#tx = tx
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
        `${this.#handler.name} uses ctx.db but declares no tables; add { db: tables<DB>() } to handle()`,
      )
    }
    this.#db ??= this.#body.db.bind(this.#tx.connection())
    return this.#db
  }

  publish(event: Message<string, unknown, 'event'>): void {
    this.#unit.publish(event)
  }

  send(command: Message<string, unknown, 'command'>, options?: DeliveryOptions): string {
    return this.#unit.send(command, options)
  }

  cancel(messageId: string): void {
    this.#unit.cancelled.push(messageId)
  }

  id(): string {
    return this.#around.runtime.id()
  }

  now(): Date {
    return new Date(isoTime(this.#around.runtime.now()))
  }
}
