/** Obverse: the whole way of a message, from command to query. Exports follow that way. */

// errors
export * from './errors.ts'

// message: what travels
export * from './message/schema.ts'
export * from './message/define.ts'
export * from './message/registry.ts'
export * from './message/envelope.ts'
export * from './message/metadata.ts'
export * from './message/delivery.ts'
export * from './message/bytes.ts'
export * from './message/codec.ts'
export * from './message/token.ts'

// observe
export * from './observe/json-log.ts'
export * from './observe/log.ts'
export * from './observe/metrics.ts'
export { durationText, oneLine } from './observe/step-text.ts'

// runtime: things that know time
export * from './runtime/clock.ts'
export * from './runtime/faults.ts'
export type * from './runtime/health.ts'
export { nearest } from './runtime/nearest.ts'
export { knownOptions } from './runtime/options.ts'
export * from './runtime/retry.ts'
export * from './runtime/loop.ts'
export * from './runtime/pipeline.ts'
export * from './runtime/observer.ts'

// write: request to commit
export type { Receipt, SendOptions, Sent } from './write/command-bus.ts'
export type { PipelineContext } from './write/execute.ts'
export * from './write/handle.ts'
export * from './write/decide.ts'
export * from './write/aggregate.ts'
export * from './write/refuse.ts'
export * from './write/context.ts'
export * from './write/idempotency.ts'
export * from './write/transaction.ts'
export * from './write/event-store.ts'
export * from './write/snapshot.ts'
export * from './write/outbox.ts'
export type { WithinContext, WithinOptions, Written } from './write/within.ts'

// wire: outbox to handler
export * from './wire/outbox.ts'
export * from './wire/positions.ts'
export * from './wire/broker.ts'
export * from './wire/channel.ts'
export * from './wire/subscriber.ts'
export type * from './wire/consume.ts'
export * from './wire/inbox.ts'
export * from './wire/held.ts'
export * from './wire/dead-letter.ts'
export * from './wire/status.ts'

// read: event to answer
export * from './read/feed.ts'
export * from './read/projection.ts'
export * from './read/checkpoint.ts'
export * from './read/question.ts'
export * from './read/view.ts'
export { type List, type ListForm, type ListOptions, list } from './read/list.ts'
export type { SearchForm, SearchOption } from './read/search.ts'
export { wordsOf } from './read/words.ts'
export {
  answer,
  type FindOptions,
  type ListReader,
  type Page,
  type PageOptions,
  type QueryContext,
  type QueryHandler,
  type ReaderOf,
  type SearchOptions,
  type SearchReader,
  type ViewReader,
} from './read/query-bus.ts'

// the whole
export * from './store.ts'
export * from './app/application.ts'
export * from './app/limits.ts'
export * from './app.ts'
export type { Description } from './app/describe.ts'
export * from './operate.ts'
