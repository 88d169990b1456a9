import { ObverseError } from '../errors.ts'
import type { AnySchema, InputOf, OutputOf, Schema } from './schema.ts'

export type Kind = 'command' | 'query' | 'event'

/** Key under which a message knows its definition. */
export const DEFINITION: unique symbol = Symbol('obverse.definition')

/** What a definition makes: a typed value that `send`, `ask` and `publish` take. */
export interface Message<T extends string = string, D = unknown, K extends Kind = Kind, R = unknown> {
  readonly type: T
  readonly kind: K
  readonly data: D
  /** Inference only: what a query answers with. Never set. */
  readonly _result?: R
  /** What made it; a symbol, so that it is neither serialised nor listed. */
  readonly [DEFINITION]?: AnyDefinition
}

/**
 * A callable message definition. A caller gives the schema's *input*, a handler sees its *output*. Calling it checks
 * nothing: the schema is applied where the message enters (`send`, `ask`, a commit, a consumer).
 */
export interface Definition<T extends string = string, I = unknown, O = unknown, K extends Kind = Kind, R = unknown> {
  (data: I): Message<T, O, K, R>
  readonly type: T
  readonly kind: K
  readonly schema: Schema<I, O>
  /** Schema of the answer; queries only. */
  readonly result?: Schema<unknown, R>
  /** Version of the data this definition writes; starts at 1. */
  readonly version: number
  /** Steps from older versions, `upcasters[0]` from 1 to 2. */
  readonly upcasters: readonly Upcaster[]
  /** The value by which order is kept; events need one unless they belong to an aggregate. */
  readonly key?: (data: O) => string
  readonly _o?: O
}

// biome-ignore lint/suspicious/noExplicitAny: a definition of anything, for inference
export type AnyDefinition<K extends Kind = Kind> = Definition<any, any, any, K, any>
export type DataOf<D> = D extends Definition<infer _T, infer _I, infer O, infer _K, infer _R> ? O : never
export type ResultOf<D> = D extends Definition<infer _T, infer _I, infer _O, infer _K, infer R> ? R : never
export type MessageOf<D> =
  D extends Definition<infer T, infer _I, infer O, infer K, infer R> ? Message<T, O, K, R> : never

/** One step of a message's history. Pure, no I/O: it runs on every read of an old message. */
export type Upcaster = (data: unknown) => unknown

export interface MessageOptions<O> {
  /** The value by which order is kept among messages of one channel. */
  readonly key?: (data: O) => string
  /** From {@link upcast}: what older versions looked like. */
  readonly history?: History<O>
}

/** The typed chain of older versions; made by {@link upcast}. */
export interface History<O> {
  readonly steps: readonly Upcaster[]
  readonly _o?: O
}

/**
 * Starts the history of a message whose data changed shape: every `.to` is one version newer, and the types chain.
 *
 * @example
 * const history = upcast<{ name: string }>().to((v1) => ({ first: v1.name, last: '' }))
 * const SignedUp = event('author.signed-up', schema, { key: (e) => e.id, history })
 */
export function upcast<V1>(): Upcasting<V1> {
  return upcasting<V1>([])
}

export interface Upcasting<V> extends History<V> {
  to<W>(step: (old: V) => W): Upcasting<W>
}

function upcasting<V>(steps: readonly Upcaster[]): Upcasting<V> {
  return { steps, to: <W>(step: (old: V) => W) => upcasting<W>([...steps, step as Upcaster]) }
}

/** A request to change state; one handler; may be refused. */
export function command<const T extends string, S extends AnySchema>(
  type: T,
  schema: S,
  options: MessageOptions<OutputOf<S>> = {},
): Definition<T, InputOf<S>, OutputOf<S>, 'command'> {
  return define('command', type, schema, options)
}

/**
 * A fact, past tense; any number of handlers. What the schema returns is what is stored, and the schema must accept
 * it again: a consumer checks it on arrival.
 */
export function event<const T extends string, S extends AnySchema>(
  type: T,
  schema: S & StoredForm<S>,
  options: MessageOptions<OutputOf<S>> = {},
): Definition<T, InputOf<S>, OutputOf<S>, 'event'> {
  return define('event', type, schema, options)
}

type StoredForm<S extends AnySchema> = [OutputOf<S>] extends [InputOf<S>]
  ? unknown
  : { 'the schema of an event must accept what it returns': never }

/** A request for data; one handler; changes nothing. `result` types the answer. */
export function query<const T extends string, S extends AnySchema, R extends AnySchema>(
  type: T,
  schema: S,
  result: R,
): Definition<T, InputOf<S>, OutputOf<S>, 'query', OutputOf<R>> {
  return define('query', type, schema, {}, result)
}

function define<T extends string, S extends AnySchema, K extends Kind, R>(
  kind: K,
  type: T,
  schema: S,
  options: MessageOptions<OutputOf<S>>,
  result?: Schema<unknown, R>,
): Definition<T, InputOf<S>, OutputOf<S>, K, R> {
  if (typeof type !== 'string' || !/^\S{1,200}$/.test(type)) {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `The message type ${JSON.stringify(type)} needs 1 to 200 characters without spaces, as in 'orders.place'`,
    )
  }
  const upcasters = options.history?.steps ?? []
  const make = (data: InputOf<S>): Message => ({ type, kind, data, [DEFINITION]: definition })
  const definition = Object.assign(make, {
    type,
    kind,
    schema,
    upcasters,
    version: upcasters.length + 1,
    ...(result && { result }),
    ...(options.key && { key: options.key }),
  }) as unknown as Definition<T, InputOf<S>, OutputOf<S>, K, R>
  return definition
}
