import { ObverseError } from '../errors.ts'

const LONGEST = 10 * 365.25 * 24 * 3_600_000

/**
 * Epoch milliseconds before which no consumer sees a message; `undefined`: at once. With both, the later counts.
 *
 * @throws {ObverseError} `VALIDATION_FAILED` naming `delay` or `at` when it is not a time within ten years from now
 */
export function dueAt({ delay, at }: { readonly delay?: number; readonly at?: Date }, now: number): number | undefined {
  const times: number[] = []
  if (delay !== undefined) {
    if (!(delay >= 0 && delay <= LONGEST)) {
      throw bad('delay', `delay is ${delay}; give milliseconds from 0 to ${LONGEST} (ten years)`)
    }
    times.push(now + Math.ceil(delay))
  }
  if (at !== undefined) {
    const time = at instanceof Date ? at.getTime() : Number.NaN
    if (Number.isNaN(time)) throw bad('at', 'at is not a valid Date')
    if (time > now + LONGEST) throw bad('at', `at is ${at.toISOString()}; give a time within ten years`)
    times.push(time)
  }
  const due = Math.max(...times)
  return due > now ? due : undefined
}

function bad(field: 'delay' | 'at', message: string): ObverseError {
  return new ObverseError('VALIDATION_FAILED', message, { fields: { [field]: [message] } })
}
