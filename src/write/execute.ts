import { isObverseError, kindOf, ObverseError } from '../errors.ts'
import type { Metadata } from '../message/metadata.ts'
import { type Runtime, sleep } from '../runtime/clock.ts'
import { compose, type Layer } from '../runtime/pipeline.ts'
import { runDecision } from './decision.ts'
import { runEffect } from './effect.ts'
import type { AnyHandler } from './handle.ts'
import type { Claim } from './idempotency.ts'
import { refusedAnswer } from './idempotency.ts'
import type { Job } from './job.ts'
import type { Entry, Outcome, Transactions } from './transaction.ts'
import type { Surroundings } from './unit-builder.ts'

/** What a pipeline layer sees of the handler it is around. */
export interface PipelineContext {
  readonly message: { readonly type: string; readonly kind: string; readonly data: unknown }
  readonly messageId: string
  readonly metadata: Metadata
  readonly handler: string
  readonly attempt: number
}

export interface ExecutorDependencies {
  readonly transactions: Transactions
  readonly around: Surroundings
  readonly layers: readonly Layer<PipelineContext>[]
  readonly runtime: Runtime
  /** Times a conflicting command is run again. */
  readonly conflictRetries: number
}

export interface Executed {
  readonly outcome: Outcome
  readonly result: unknown
}

/** Runs one handler for one job, through the pipeline, to its commit. The one place where handlers run. */
export type Executor = (handler: AnyHandler, job: Job, claim?: Claim) => Promise<Executed>

export function createExecutor(dependencies: ExecutorDependencies): Executor {
  const { layers } = dependencies
  if (layers.length === 0) return (handler, job, claim) => untilItHolds(handler, job, claim, dependencies)
  return async (handler, job, claim) => {
    let executed: Executed | undefined
    const context: PipelineContext = {
      message: job,
      messageId: job.id,
      metadata: job.metadata,
      handler: handler.name,
      attempt: job.attempt,
    }
    const run = compose<PipelineContext, unknown>(layers, async () => {
      executed = await untilItHolds(handler, job, claim, dependencies)
      return executed.result
    })
    const result = await run(context)
    if (executed) return { outcome: executed.outcome, result }
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `A pipeline layer answered ${job.type} without calling next(); a layer that refuses must throw refuse(…)`,
    )
  }
}

/** A conflict means that the state was read too early: the command is run again on the new one, a few times. */
async function untilItHolds(
  handler: AnyHandler,
  job: Job,
  claim: Claim | undefined,
  dependencies: ExecutorDependencies,
): Promise<Executed> {
  const { runtime, conflictRetries } = dependencies
  for (let run = 1; ; run += 1) {
    try {
      const executed = once(handler, job, claim, dependencies)
      return executed instanceof Promise ? await executed : executed
    } catch (error) {
      if (!isObverseError(error, 'CONFLICT') || run > conflictRetries) throw error
      if (run > 1) await sleep(runtime, runtime.random() * 2 ** run)
    }
  }
}

function once(
  handler: AnyHandler,
  job: Job,
  claim: Claim | undefined,
  { transactions, around, runtime }: ExecutorDependencies,
): Executed | Promise<Executed> {
  const entry: Entry = {
    name: handler.name,
    ...(job.delivery && { delivery: job.delivery, tracked: job.kind === 'command' }),
    ...(claim && { claim, refusal: refusedUnlessConflict }),
  }
  const { body } = handler
  const run = (): Executed | Promise<Executed> =>
    body.kind === 'effect'
      ? runEffect({ body, job, entry, transactions, around })
      : runDecision(body, job, entry, transactions, around).then((outcome) => ({ outcome, result: undefined }))
  return around.inline || runtime.reach ? prepared(run, around, runtime) : run()
}

async function prepared(
  run: () => Executed | Promise<Executed>,
  { inline }: Surroundings,
  { reach }: Runtime,
): Promise<Executed> {
  await inline?.ready()
  await reach?.('handler.before')
  return run()
}

/** Refusals are repeated to a client that asks again; a conflict is not the domain's answer, so it is not kept. */
function refusedUnlessConflict(error: unknown) {
  return kindOf(error) === 'refusal' && !isObverseError(error, 'CONFLICT')
    ? refusedAnswer(error as ObverseError)
    : undefined
}
