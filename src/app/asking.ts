import { isObverseError, kindOf, ObverseError } from '../errors.ts'
import { rootMetadata } from '../message/metadata.ts'
import type { TokenPart } from '../message/token.ts'
import { createQueryBus, type QueryBus } from '../read/query-bus.ts'
import { createWaiter } from '../read/wait.ts'
import type { Runtime } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import { compose, type Layer } from '../runtime/pipeline.ts'
import { CAUSED_PART, MESSAGE_PART } from '../write/command-bus.ts'
import type { PipelineContext } from '../write/execute.ts'
import type { Assembly } from './assembly.ts'
import type { Limits } from './limits.ts'
import type { Opened } from './opened.ts'
import { commandDone, type Watching } from './receipt.ts'

/** Events of one asynchronous command that a token can stand for. */
const CAUSED_LIMIT = 1_000

export interface AskingContext {
  readonly assembly: Assembly
  readonly runtime: Runtime
  readonly observe: Observer
  readonly limits: Limits
  readonly layers: readonly Layer<PipelineContext>[]
}

/** The query side of an opened application: the bus, and the wait for what a token names. */
export function createAsking(opened: Opened, { assembly, runtime, observe, limits, layers }: AskingContext): QueryBus {
  const { store, generations, checkpointsFor, wake } = opened
  const { log, held, deadLetters } = store
  const waiter = createWaiter({
    generations,
    checkpointsFor,
    log,
    runtime,
    parked: async ({ name }, key) => {
      const blocked = await held.blocked([{ handler: name, key }])
      return blocked.length > 0 && (await deadLetters.list({ handler: name, key, limit: 1 })).length > 0
    },
  })
  wake.on(waiter.wake)
  return createQueryBus({
    handlers: assembly.queries,
    projections: assembly.projections,
    generations,
    waiter,
    runtime,
    observer: observe,
    tokenWait: limits.tokenWait,
    resolve: (parts, timeout) => resolveMessages(parts, timeout, opened, runtime),
    ...(layers.length > 0 && {
      around: ({ message, messageId, principal }, run) =>
        compose(
          layers,
          run,
        )({
          message,
          messageId,
          metadata: rootMetadata(messageId, principal === undefined ? {} : { principal }),
          handler: message.type,
          attempt: 1,
        }),
    }),
  })
}

/** A receipt's token stands for its command: once it is done, for the events that it caused. */
async function resolveMessages(
  parts: readonly TokenPart[],
  timeout: number,
  { store, wake }: Opened,
  runtime: Runtime,
): Promise<readonly TokenPart[]> {
  const { log, statuses } = store
  const resolved = await Promise.all(
    parts.map(async (part): Promise<readonly TokenPart[]> => {
      if (part.type === CAUSED_PART) return causedBy(part.key, log)
      if (part.type !== MESSAGE_PART) return [part]
      await ended(part.key, timeout, { statuses, onCommit: wake.on, runtime })
      const status = await statuses.get(part.key)
      const events = await log.correlated(status?.correlationId ?? part.key, CAUSED_LIMIT)
      return events.filter(({ metadata }) => metadata.causationId === part.key)
    }),
  )
  return resolved.flat()
}

/** `key`: the id of a synchronous command and, after a blank, its correlation. */
async function causedBy(key: string, log: Opened['store']['log']): Promise<readonly TokenPart[]> {
  const [id = '', ...correlation] = key.split(' ')
  const events = await log.correlated(correlation.join(' '), CAUSED_LIMIT)
  return events.filter(({ metadata }) => metadata.causationId === id)
}

async function ended(id: string, timeout: number, watching: Watching): Promise<void> {
  try {
    await commandDone(id, { timeout }, watching)
  } catch (error) {
    if (isObverseError(error, 'RECEIPT_TIMEOUT')) {
      throw new ObverseError(
        'CONSISTENCY_TIMEOUT',
        `The command ${id} of the token was not done within ${Math.round(timeout)} ms`,
      )
    }
    if (kindOf(error) === 'outage') throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new ObverseError('COMMAND_FAILED', `The command ${id} of the token has failed: ${reason}`, { cause: error })
  }
}
