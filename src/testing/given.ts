import assert from 'node:assert/strict'
import {
  type AnyAggregate,
  type AnyDefinition,
  DEFINITION,
  fold,
  type Handler,
  isObverseError,
  type Message,
  type MessageOf,
  ObverseError,
  parse,
} from 'obverse'

type Event = Message<string, unknown, 'event'>
type Ended = { readonly events: readonly Event[] } | { readonly refusal: ObverseError }

export interface Given {
  /** Runs a decision, as `send` would, on the state that the events make. Nothing is stored. */
  when<D extends AnyDefinition<'command'>, R, Ch extends string | undefined>(
    handler: Handler<D, R, Ch>,
    command: MessageOf<D>,
  ): When
}

/**
 * What the decision must have led to. Throws an `AssertionError` with a diff, so that it works in any test runner;
 * answers with a promise only where a schema is asynchronous.
 */
export interface When {
  /** Exactly these events, in this order; none: the command changed nothing. */
  then(...events: readonly Event[]): void | Promise<void>
  /** Refused with this code, this reason, this text or a text like this. */
  thenRefused(expected?: string | RegExp): void | Promise<void>
}

/**
 * Tests a `decide` handler without a store.
 *
 * @example
 * given(OrderPlaced({ orderId, lines })).when(placeOrder, PlaceOrder({ orderId, lines })).thenRefused('already placed')
 */
export function given(...history: readonly Event[]): Given {
  return {
    when(handler, command) {
      const { body, definition } = handler
      if (body.kind !== 'decision') {
        throw new ObverseError(
          'CONFIGURATION_INVALID',
          `${handler.name} is not made by decide(); test it with testApp(), which runs it in a transaction`,
        )
      }
      const decide = body.decide as (data: unknown, state: unknown) => unknown
      const run = (data: unknown): Ended | Promise<Ended> => decided(decide(data, stateAfter(body.aggregate, history)))
      let ended: Ended | Promise<Ended>
      try {
        const data = parse(definition.schema, (command as Message).data, definition.type)
        ended = data instanceof Promise ? data.then(run).catch(refused) : run(data)
      } catch (error) {
        ended = refused(error)
      }
      return expectations(ended)
    },
  }
}

function stateAfter(aggregate: AnyAggregate, history: readonly Event[]): unknown {
  return fold(aggregate, aggregate.initial(), history)
}

function refused(error: unknown): Ended {
  if (isObverseError(error) && error.kind === 'refusal') return { refusal: error }
  throw error
}

/** What is stored is what the schema of an event makes of it, so that is compared. */
function decided(decision: unknown): Ended | Promise<Ended> {
  if (isObverseError(decision)) return { refusal: decision }
  const events = (Array.isArray(decision) ? decision : [decision]) as readonly Event[]
  const checked = events.map((event) => {
    const schema = event[DEFINITION]?.schema
    return schema ? parse(schema, event.data, event.type) : event.data
  })
  const named = (all: readonly unknown[]): Ended => ({
    events: events.map((event, at) => ({ ...event, data: all[at] })),
  })
  return checked.some((data) => data instanceof Promise) ? Promise.all(checked).then(named) : named(checked)
}

function expectations(ended: Ended | Promise<Ended>): When {
  const check = (expect: (end: Ended) => void) => (ended instanceof Promise ? ended.then(expect) : expect(ended))
  return {
    // biome-ignore lint/suspicious/noThenProperty: given, when, then; a caller that awaits it is told what is missing
    then(...expected) {
      if (expected.some((event) => typeof event === 'function')) {
        throw new Error('given().when() was awaited; end it with .then(…events) or .thenRefused(…)')
      }
      return check((end) => {
        if ('refusal' in end) {
          assert.fail(`the command was refused (${end.refusal.code}: ${end.refusal.message}), but events were expected`)
        }
        assert.deepEqual(end.events.map(plain), expected.map(plain))
      })
    },
    thenRefused(expected) {
      return check((end) => {
        if ('refusal' in end) return matches(end.refusal, expected)
        assert.fail(`the command was not refused; it led to ${JSON.stringify(end.events.map(plain))}`)
      })
    },
  }
}

function matches({ code, message, reason }: ObverseError, expected: string | RegExp | undefined): void {
  if (expected === undefined || expected === code || expected === reason) return
  if (expected instanceof RegExp) assert.match(message, expected)
  else assert.equal(message, expected)
}

function plain({ type, data }: Event): { readonly type: string; readonly data: unknown } {
  return { type, data }
}
