import { ObverseError } from '../errors.ts'
import type { Message } from '../message/define.ts'
import type { Envelope } from '../message/envelope.ts'
import { isoTime } from '../runtime/clock.ts'
import type { DeliveryOptions, HandlerContext } from './context.ts'
import type { AnyHandler, HandlerBody } from './handle.ts'
import type { Job } from './job.ts'
import { Refusal } from './refuse.ts'
import type { Entry, Outcome, Transaction, Transactions, Unit } from './transaction.ts'
import { type Surroundings, UnitBuilder } from './unit-builder.ts'

type EffectBody = Extract<HandlerBody, { kind: 'effect' }>

/** Runs a handler with any effect, and commits what it gathered with the tables it wrote. */
export function runEffect(
  handler: AnyHandler,
  body: EffectBody,
  job: Job,
  entry: Entry,
  transactions: Transactions,
  around: Surroundings,
): Effect | Promise<Effect> {
  const run = body.run as (data: unknown, context: HandlerContext<unknown>) => unknown
  if (body.db) return withTables(run, handler, body, job, entry, transactions, around)
  if (entry.delivery || entry.claim) return guarded(run, handler, body, job, entry, transactions, around)
  const context = new EffectContext(job, around, handler, body)
  const finish = (result: unknown): Effect | Promise<Effect> => {
    accept(result)
    // nothing to commit costs no transaction
    if (context.isEmpty) return { outcome: NOTHING, result }
    const unit = context.unit.build(job.more(result))
    return transactions.commit(entry, unit).then((outcome) => ended(outcome, result, unit, around))
  }
  const result = run(job.data, context)
  return result instanceof Promise ? result.then(finish) : finish(result)
}

/** A refusal that is returned means what one that is thrown means: `decide` returns it, so somebody will here. */
function accept(result: unknown): void {
  if (result instanceof Refusal) throw result
}

export interface Effect {
  readonly outcome: Outcome
  readonly result: unknown
}

type Run = (data: unknown, context: HandlerContext<unknown>) => unknown

async function withTables(
  run: Run,
  handler: AnyHandler,
  body: EffectBody,
  job: Job,
  entry: Entry,
  transactions: Transactions,
  around: Surroundings,
): Promise<Effect> {
  let result: unknown
  let unit: Unit | undefined
  const outcome = await transactions.transact(entry, async (tx) => {
    const context = new EffectContext(job, around, handler, body, tx)
    result = await run(job.data, context)
    accept(result)
    if (around.runtime.reach) await around.runtime.reach('handler.after')
    unit = context.unit.build(job.more(result))
    return unit
  })
  return ended(outcome, result, unit, around)
}

/** A handler whose effects are elsewhere must not run for a message that is held, or was handled or answered before. */
async function guarded(
  run: Run,
  handler: AnyHandler,
  body: EffectBody,
  job: Job,
  entry: Entry,
  transactions: Transactions,
  around: Surroundings,
): Promise<Effect> {
  const known = await transactions.enter(entry)
  if (known) return { outcome: known, result: undefined }
  const context = new EffectContext(job, around, handler, body)
  let result: unknown
  try {
    result = await run(job.data, context)
    accept(result)
  } catch (error) {
    // The refusal of a claimed command is committed in the place of its work, and thrown again from there.
    if (!entry.claim || !entry.refusal?.(error)) throw error
    const refused = async (): Promise<Unit> => {
      throw error
    }
    return { outcome: await transactions.transact(entry, refused), result }
  }
  if (around.runtime.reach) await around.runtime.reach('handler.after')
  const unit = context.unit.build(job.more(result))
  return ended(await transactions.commit(entry, unit), result, unit, around)
}

function ended(outcome: Outcome, result: unknown, unit: Unit | undefined, { committed }: Surroundings): Effect {
  if (unit && outcome.kind === 'committed') committed(unit)
  return { outcome, result }
}

const NOTHING: Outcome = { kind: 'committed', events: [] }

class EffectContext implements HandlerContext<unknown> {
  readonly messageId: string
  readonly attempt: number
  readonly #job: Job
  readonly #around: Surroundings
  readonly #handler: AnyHandler
  readonly #body: EffectBody
  readonly #tx: Transaction | undefined
  #unit: UnitBuilder | undefined
  #db: unknown
  #signal: AbortSignal | undefined

  constructor(job: Job, around: Surroundings, handler: AnyHandler, body: EffectBody, tx?: Transaction) {
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
        `${this.#handler.name} uses ctx.db but declares no tables; add { db: tables<DB>() } to handle()`,
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
