import type { HandlerContext } from './context.ts'
import { EffectContext } from './effect-context.ts'
import type { EffectBody } from './handle.ts'
import type { Job } from './job.ts'
import { Refusal } from './refuse.ts'
import type { Entry, Outcome, Transactions, Unit } from './transaction.ts'
import type { Surroundings } from './unit-builder.ts'

/** One run of a handler with any effect. `entry.name` is its name. */
export interface EffectCall {
  readonly body: EffectBody
  readonly job: Job
  readonly entry: Entry
  readonly transactions: Transactions
  readonly around: Surroundings
}

export interface Effect {
  readonly outcome: Outcome
  readonly result: unknown
}

/** Runs it, and commits what it gathered with the tables it wrote. */
export function runEffect(call: EffectCall): Effect | Promise<Effect> {
  const { body, job, entry, transactions, around } = call
  if (body.db) return withTables(call)
  if (entry.delivery || entry.claim) return guarded(call)
  const context = new EffectContext(job, around, entry.name, body)
  const finish = (result: unknown): Effect | Promise<Effect> => {
    accept(result)
    // nothing to commit costs no transaction
    if (context.isEmpty) return { outcome: NOTHING, result }
    const unit = context.unit.build(job.more(result))
    return transactions.commit(entry, unit).then((outcome) => ended(outcome, result, unit, around))
  }
  const result = run(call, context)
  return result instanceof Promise ? result.then(finish) : finish(result)
}

const NOTHING: Outcome = { kind: 'committed', events: [] }

async function withTables(call: EffectCall): Promise<Effect> {
  const { body, job, entry, transactions, around } = call
  let result: unknown
  let unit: Unit | undefined
  const outcome = await transactions.transact(entry, async (tx) => {
    const context = new EffectContext(job, around, entry.name, body, tx)
    result = await run(call, context)
    accept(result)
    if (around.runtime.reach) await around.runtime.reach('handler.after')
    unit = context.unit.build(job.more(result))
    return unit
  })
  return ended(outcome, result, unit, around)
}

/** A handler whose effects are elsewhere must not run for a message that is held, or was handled or answered before. */
async function guarded(call: EffectCall): Promise<Effect> {
  const { body, job, entry, transactions, around } = call
  const known = await transactions.enter(entry)
  if (known) return { outcome: known, result: undefined }
  const context = new EffectContext(job, around, entry.name, body)
  let result: unknown
  try {
    result = await run(call, context)
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

function run({ body, job }: EffectCall, context: EffectContext): unknown {
  return (body.run as (data: unknown, context: HandlerContext<unknown>) => unknown)(job.data, context)
}

/** A refusal that is returned means what one that is thrown means: `decide` returns it, so somebody will here. */
function accept(result: unknown): void {
  if (result instanceof Refusal) throw result
}

function ended(outcome: Outcome, result: unknown, unit: Unit | undefined, { committed }: Surroundings): Effect {
  if (unit && outcome.kind === 'committed') committed(unit)
  return { outcome, result }
}
