import type { EventEnvelope } from '../message/envelope.ts'
import type { KeyRange, LogPage } from './feed.ts'
import type { Request } from './work.ts'

/** Rows of one generation; answers may come at once. */
interface RowSource {
  load(ids: readonly string[]): unknown
  save(rows: readonly unknown[]): unknown
}

/** The log, as far as applying asks it; answers may come at once. */
interface History {
  between(
    ranges: readonly KeyRange[],
    types: readonly string[],
  ): readonly EventEnvelope[] | Promise<readonly EventEnvelope[]>
  after(after: number, limit: number, types: readonly string[]): LogPage | Promise<LogPage>
}

/** Answers the requests of applying; what neither rows nor log can answer is left to `other`. */
export function performer(
  table: RowSource,
  history: History,
  types: readonly string[],
  other: (request: Extract<Request, { kind: 'given-up' | 'reach' }>) => unknown,
): (request: Request) => unknown {
  return (request) => {
    switch (request.kind) {
      case 'load':
        return table.load(request.ids)
      case 'save':
        return table.save(request.rows)
      case 'between':
        return history.between(request.ranges, types)
      case 'after':
        return history.after(request.after, request.limit, types)
      default:
        return other(request)
    }
  }
}
