import type { DeadLetterFilter } from 'obverse'
import type { Flag, Values } from './flag.ts'

type Filter = 'channel' | 'handler' | 'key' | 'code' | 'message'

/** The flags that narrow dead letters, the same for every command about them. */
export const filterFlags: Readonly<Record<Filter, Extract<Flag, { kind: 'text' }>>> = {
  channel: { kind: 'text', value: 'NAME', about: 'of one channel' },
  handler: { kind: 'text', value: 'NAME', about: 'of one handler' },
  key: { kind: 'text', value: 'KEY', about: 'of one key' },
  code: { kind: 'text', value: 'CODE', about: 'given up for this reason' },
  message: { kind: 'text', value: 'ID', about: 'with this message id' },
}

export function filterOf(flags: Values<typeof filterFlags>): DeadLetterFilter {
  const { channel, handler, key, code, message } = flags
  return {
    ...(channel !== undefined && { channel }),
    ...(handler !== undefined && { handler }),
    ...(key !== undefined && { key }),
    ...(code !== undefined && { code }),
    ...(message !== undefined && { messageId: message }),
  }
}

/** ` with channel mail and code HANDLER_FAILED`, or nothing. */
export function filterWords({ channel, handler, key, code, messageId }: DeadLetterFilter): string {
  const words = Object.entries({ channel, handler, key, code, 'message id': messageId })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`)
  return words.length === 0 ? '' : ` with ${words.join(' and ')}`
}
