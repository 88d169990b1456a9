import { isObverseError, ObverseError } from '../errors.ts'
import type { AnyDefinition, DataOf, Message, ResultOf } from '../message/define.ts'
import { isUnchecked, parse } from '../message/schema.ts'
import { parseToken, type TokenPart } from '../message/token.ts'
import type { Runtime } from '../runtime/clock.ts'
import type { Observer } from '../runtime/observer.ts'
import type { Generations } from './generation.ts'
import type { ReaderOf } from './page.ts'
import type { AnyProjection } from './projection.ts'
import { createReader } from './reader.ts'
import type { AnyView } from './view.ts'
import type { Waiter } from './wait.ts'

export type {
  FindOptions,
  ListReader,
  Page,
  PageOptions,
  ReaderOf,
  SearchOptions,
  SearchReader,
  ViewReader,
} from './page.ts'

/** What a query handler is given: views, nothing that writes. */
export interface QueryContext {
  readonly messageId: string
  readonly principal: string | undefined
  readonly signal: AbortSignal
  /**
   * A reader of one view. When the query came with a token, the first read waits until the view shows that write.
   * @throws {ObverseError} on reading: `CONSISTENCY_TIMEOUT`, `KEY_PARKED`
   */
  view<V extends AnyView>(view: V): ReaderOf<V>
}

/** A query handler as a value. */
export interface QueryHandler<D extends AnyDefinition<'query'> = AnyDefinition<'query'>> {
  readonly definition: D
  readonly name: string
  readonly answer: (data: never, context: QueryContext) => unknown
}

/**
 * Answers a query.
 *
 * @example
 * const getOrder = answer(GetOrder, (q, ctx) => ctx.view(orders).get(q.orderId))
 */
export function answer<D extends AnyDefinition<'query'>>(
  definition: D,
  run: (data: DataOf<D>, context: QueryContext) => ResultOf<D> | Promise<ResultOf<D>>,
): QueryHandler<D> {
  return { definition, name: definition.type, answer: run }
}

/** Takes a query to its handler. */
export interface QueryBus {
  /**
   * @throws {ObverseError} `HANDLER_MISSING`, `VALIDATION_FAILED`, `TOKEN_INVALID`, what reading throws,
   * `HANDLER_FAILED` with the cause
   */
  ask(message: Message<string, unknown, 'query'>, options?: AskWith): Promise<unknown>
}

export interface AskWith {
  readonly after?: string
  /** Milliseconds for all waiting of this query; at most the limit. */
  readonly timeout?: number
  readonly principal?: string
  readonly signal?: AbortSignal
}

export interface QueryBusOptions {
  readonly handlers: readonly QueryHandler[]
  readonly projections: readonly AnyProjection[]
  readonly generations: Pick<Generations, 'reading'>
  readonly waiter: Pick<Waiter, 'wait'>
  readonly runtime: Runtime
  readonly observer: Observer
  /** Milliseconds a query may wait for a token. Default 5,000. */
  readonly tokenWait?: number
  /** Turns parts that stand for something else (a type that begins with `:`) into parts of events, before `timeout` ms. */
  readonly resolve?: (parts: readonly TokenPart[], timeout: number) => Promise<readonly TokenPart[]>
  /** Runs around every handler. */
  readonly around?: (
    query: { readonly message: Message; readonly messageId: string; readonly principal: string | undefined },
    run: () => Promise<unknown>,
  ) => Promise<unknown>
}

const NEVER = new AbortController().signal

/** @throws {ObverseError} `HANDLER_DUPLICATE` when two handlers answer one query */
export function createQueryBus(options: QueryBusOptions): QueryBus {
  const { projections, runtime, observer, around } = options
  const handlers = new Map<string, QueryHandler>()
  for (const handler of options.handlers) {
    const { type } = handler.definition
    if (handlers.has(type)) throw new ObverseError('HANDLER_DUPLICATE', `Two handlers answer the query ${type}`)
    handlers.set(type, handler)
  }
  const fills = new Map(projections.map((projection) => [projection.view.name, projection]))

  const run = async (message: Message, given: AskWith): Promise<unknown> => {
    const handler = handlers.get(message.type)
    if (!handler) throw new ObverseError('HANDLER_MISSING', `Nothing answers the query ${JSON.stringify(message.type)}`)
    const { schema } = handler.definition
    const data = isUnchecked(schema) ? message.data : await parse<unknown>(schema, message.data, message.type)
    const context = createContext(options, fills, given)
    const answer = async () => handler.answer(data as never, context)
    const { messageId, principal } = context
    return around ? around({ message: { ...message, data }, messageId, principal }, answer) : answer()
  }
  return {
    async ask(message, given = {}) {
      const began = runtime.elapsed()
      const done = (outcome: 'done' | 'failed') =>
        observer({ step: 'asked', type: message.type, ms: runtime.elapsed() - began, outcome })
      try {
        const result = await run(message, given)
        done('done')
        return result
      } catch (error) {
        done('failed')
        if (isObverseError(error) || given.signal?.aborted) throw error
        const reason = error instanceof Error ? error.message : String(error)
        throw new ObverseError('HANDLER_FAILED', `The handler of ${message.type} threw: ${reason}`, { cause: error })
      }
    },
  }
}

function createContext(
  { generations, waiter, runtime, resolve, tokenWait = 5_000 }: QueryBusOptions,
  fills: ReadonlyMap<string, AnyProjection>,
  { after = '', timeout = tokenWait, principal, signal = NEVER }: AskWith,
): QueryContext {
  const named = parseToken(after)
  const deadline = runtime.elapsed() + Math.min(timeout, tokenWait)
  const left = () => Math.max(0, deadline - runtime.elapsed())
  let parts: Promise<readonly TokenPart[]> | undefined
  const tables = new Map<string, Promise<Awaited<ReturnType<Waiter['wait']>>>>()

  const open = async (view: AnyView) => {
    const projection = fills.get(view.name)
    if (!projection) {
      throw new ObverseError('VIEW_UNFILLED', `No projection fills the view ${view.name}; add one to the application`)
    }
    if (named.length === 0) return (await generations.reading(view)).table
    parts ??=
      resolve && named.some(({ type }) => type.startsWith(':')) ? resolve(named, left()) : Promise.resolve(named)
    return waiter.wait(projection, await parts, left(), signal)
  }
  return {
    messageId: runtime.id(),
    principal,
    signal,
    view<V extends AnyView>(view: V) {
      return createReader(view, () => {
        let table = tables.get(view.name)
        if (!table) {
          table = open(view)
          tables.set(view.name, table)
        }
        return table
      })
    },
  }
}
