import type { EventEnvelope } from '../message/envelope.ts'
import type { FaultPoint } from '../runtime/faults.ts'
import type { KeyRange, LogPage } from './feed.ts'
import type { StoredRow } from './view.ts'

/**
 * What applying events needs from outside. The algorithm is a generator of requests, so that one text serves a view
 * store across a network and a transaction that must not wait.
 */
export type Request =
  | { readonly kind: 'load'; readonly ids: readonly string[] }
  | { readonly kind: 'save'; readonly rows: readonly StoredRow[] }
  | { readonly kind: 'between'; readonly ranges: readonly KeyRange[] }
  | { readonly kind: 'after'; readonly after: number; readonly limit: number }
  | { readonly kind: 'given-up'; readonly event: EventEnvelope }
  | { readonly kind: 'reach'; readonly point: FaultPoint }

export type Work<R> = Generator<Request, R, unknown>

export function* load(ids: readonly string[]): Work<readonly StoredRow[]> {
  return ids.length === 0 ? [] : ((yield { kind: 'load', ids }) as readonly StoredRow[])
}

/** The ids that were refused. */
export function* save(rows: readonly StoredRow[]): Work<readonly string[]> {
  return rows.length === 0 ? [] : ((yield { kind: 'save', rows }) as readonly string[])
}

export function* between(ranges: readonly KeyRange[]): Work<readonly EventEnvelope[]> {
  return ranges.length === 0 ? [] : ((yield { kind: 'between', ranges }) as readonly EventEnvelope[])
}

export function* after(position: number, limit: number): Work<LogPage> {
  return (yield { kind: 'after', after: position, limit }) as LogPage
}

export function* givenUp(event: EventEnvelope): Work<boolean> {
  return (yield { kind: 'given-up', event }) as boolean
}

export function* reach(point: FaultPoint): Work<void> {
  yield { kind: 'reach', point }
}

/** Does the work; synchronous as long as every answer comes at once. */
export function drive<R>(work: Work<R>, perform: (request: Request) => unknown): R | Promise<R> {
  let turn = work.next()
  while (!turn.done) {
    const answer = perform(turn.value)
    if (answer instanceof Promise) return driveOn(work, answer, perform)
    turn = work.next(answer)
  }
  return turn.value
}

async function driveOn<R>(work: Work<R>, first: Promise<unknown>, perform: (request: Request) => unknown): Promise<R> {
  let turn = work.next(await first)
  while (!turn.done) turn = work.next(await perform(turn.value))
  return turn.value
}
