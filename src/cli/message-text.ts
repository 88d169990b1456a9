import { oneLine } from 'obverse'

/** What of a raw message fits into two lines; `undefined`: it is not one. */
export interface MessageSummary {
  readonly id: string
  readonly type: string
  readonly time: string
  /** Key and seq. */
  readonly place: string
  /** JSON text. */
  readonly data: string
}

export function summary(body: string): MessageSummary | undefined {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { id, type, time, key, seq, data } = value as Record<string, unknown>
  if (typeof type !== 'string') return undefined
  return {
    id: typeof id === 'string' ? id : '',
    type: oneLine(type),
    time: typeof time === 'string' ? time : '',
    place: placeText(key, seq),
    data: JSON.stringify(data ?? null),
  }
}

/** `0190… seq 3`. */
export function placeText(key: unknown, seq: unknown): string {
  if (typeof key !== 'string') return ''
  return typeof seq === 'number' ? `${key}  seq ${seq}` : key
}

/** JSON over several lines, or the text as it is. */
export function prettyLines(body: string): string[] {
  try {
    return JSON.stringify(JSON.parse(body), null, 2).split('\n')
  } catch {
    return body.split('\n')
  }
}
