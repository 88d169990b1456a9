import { isObverseError } from '../errors.ts'
import type { Step } from '../runtime/observer.ts'

/** A duration that keeps what is below a millisecond: `0.42 ms`, `13 ms`, `4.2 s`, `2 min 5 s`. */
export function durationText(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(2))} ms`
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${Number((ms / 1_000).toFixed(1))} s`
  const seconds = Math.round(ms / 1_000)
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60]
  if (hours === 0) return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`
  return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`
}

/**
 * One line, whatever is in it: texts come from messages, and a terminal obeys control characters. They are shown as
 * `\x1b`; line breaks and tabs become one space.
 */
export function oneLine(text: string): string {
  return (
    text
      .replace(/[\r\n\t]+/g, ' ')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not pass
      .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (character) => {
        const code = character.charCodeAt(0)
        return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
      })
  )
}

/** Code and one line of an error, without its stack. */
export function errorText(error: unknown): string {
  if (isObverseError(error)) return `${error.code}: ${oneLine(error.message)}`
  return oneLine(error instanceof Error ? error.message : String(error))
}

/** How a handled message ended, in words. */
export const OUTCOMES: Record<Extract<Step, { step: 'handled' }>['outcome'], string> = {
  committed: 'handled successfully',
  duplicate: 'handled before, skipped as a duplicate',
  held: 'held: an earlier message of its key must go first',
  lost: 'left to another consumer that has taken it',
}

/** What went wrong or was mended, in words; `undefined` for steps of the ordinary way. */
export function troubleText(step: Step): string | undefined {
  switch (step.step) {
    case 'retrying':
      return `${step.type} failed in ${step.handler}, attempt ${step.attempt}, next in ${durationText(step.inMs)}: ${step.reason}  ${step.messageId}`
    case 'dead':
      return `${step.type || 'an unreadable message'} is now a dead letter of ${step.handler || step.channel}: ${step.code}: ${step.reason}  ${step.messageId}`.trimEnd()
    case 'returned':
      return `a message to ${step.channel} was returned by the broker and stays in the outbox: ${step.reason}  ${step.messageId}`
    case 'outage':
      return `${step.part} does not answer, trying again (${step.failures}): ${step.reason}`
    case 'recovered':
      return `${step.part} answers again`
    case 'warned':
      return `${step.part}: ${step.says}${step.remedy === undefined ? '' : `. ${step.remedy}`}`
    case 'failed':
      return `${step.part} failed: ${errorText(step.error)}`
    default:
      return undefined
  }
}
