import type { Kind } from '../message/define.ts'
import { isoTime, systemRuntime } from '../runtime/clock.ts'
import type { Observer, Step } from '../runtime/observer.ts'
import { durationText, OUTCOMES, oneLine, troubleText } from './step-text.ts'

/** How much a person wants to read. */
export type LogLevel =
  /** One line per event that was handled, and everything that went wrong. */
  | 'normal'
  /** One line per message and handler, with its time, id and duration. */
  | 'v'
  /** One line per step of each message. */
  | 'vv'

/** `warn`: will be tried again. `bad`: somebody has to look. `good`: it is mended. */
export type LogTone = 'plain' | 'good' | 'warn' | 'bad'

export interface StepLog {
  /** Default `normal`. */
  readonly level?: LogLevel
  /** Takes one line, without a line break at its end, and what it is: for colours. */
  readonly write: (line: string, tone: LogTone) => void
  /** Epoch milliseconds. Default: the system's clock. */
  readonly now?: () => number
  /** Kind of a message type, for the words; `(type) => app.definition(type)?.kind`. Default: everything is an event. */
  readonly kind?: (type: string) => Kind | undefined
}

/** Ids that are remembered so that an event with two handlers is one line at `normal`. */
const REMEMBERED = 1_000

/**
 * Prints steps as lines for people.
 *
 * @example
 * app.observe(logSteps({ level: 'v', write: (line) => console.log(line) }))
 */
export function logSteps({ level = 'normal', write, now = systemRuntime.now, kind }: StepLog): Observer {
  const shown = new Set<string>()
  const print = (text: string, tone: LogTone = 'plain') =>
    write(oneLine(level === 'normal' ? text : `${isoTime(now()).slice(11, 23)}  ${text}`), tone)
  const first = (messageId: string) => {
    if (shown.has(messageId)) return false
    if (shown.size >= REMEMBERED) shown.clear()
    shown.add(messageId)
    return true
  }
  return (step) => {
    const trouble = troubleText(step)
    if (trouble !== undefined) {
      if (step.step !== 'outage' || worthALine(step.failures)) print(trouble, TONES[step.step])
      if (level === 'vv' && step.step === 'failed' && step.error instanceof Error) {
        for (const line of (step.error.stack ?? '').split('\n').slice(1)) write(oneLine(line), 'bad')
      }
    } else if (level === 'vv') {
      for (const text of stepTexts(step)) print(text)
    } else if (step.step === 'handled') {
      if (level === 'normal') {
        if (step.outcome !== 'committed' || !first(step.messageId)) return
        print(`Processed ${kind?.(step.type) ?? 'event'}: ${step.type}`)
      } else print(`${step.type}  ${step.handler}  ${step.outcome}  ${durationText(step.ms)}  ${step.messageId}`)
    } else if (level === 'v' && step.step === 'projected') {
      print(projectedText(step))
    }
  }
}

const TONES: Partial<Record<Step['step'], LogTone>> = {
  retrying: 'warn',
  returned: 'warn',
  outage: 'warn',
  warned: 'warn',
  recovered: 'good',
  dead: 'bad',
  failed: 'bad',
}

/** The first outage, and then ever fewer: the loop tries again every few seconds, without end. */
function worthALine(failures: number): boolean {
  return failures === 1 || failures === 10 || failures % 100 === 0
}

function stepTexts(step: Step): readonly string[] {
  switch (step.step) {
    case 'sent':
    case 'asked':
      return [`${step.step} ${step.type}: ${step.outcome} in ${durationText(step.ms)}`]
    case 'received':
      return [`received ${step.type} on ${step.channel}${step.redelivered ? ', again' : ''}  ${step.messageId}`]
    case 'handling':
      return step.attempt > 1 ? [`attempt ${step.attempt} of ${step.type} by ${step.handler}  ${step.messageId}`] : []
    case 'sending':
      return [`sending ${step.type} with ${step.channel} sender  ${step.messageId}`]
    case 'handled':
      return step.outcome === 'committed'
        ? [
            `${step.type} handled by ${step.handler} in ${durationText(step.ms)}  ${step.messageId}`,
            `${step.type} handled successfully  ${step.messageId}`,
          ]
        : [`${step.type} ${OUTCOMES[step.outcome]} (${step.handler})  ${step.messageId}`]
    case 'stamped':
      return [`stamped ${step.count} event${step.count === 1 ? '' : 's'}`]
    case 'published':
      return [`published ${step.count} message${step.count === 1 ? '' : 's'} in ${durationText(step.ms)}`]
    case 'projected':
      return [projectedText(step)]
    case 'rebuilding':
      return [`rebuilding ${step.projection}: ${step.position} of ${step.head}, ${Math.round(step.perSecond)}/s`]
    case 'fell-back':
      return [
        `the view of ${step.projection} came back at position ${step.to}, it had ${step.from}: catching up from the log`,
      ]
    case 'switched':
      return [`${step.projection} is served from generation ${step.generation}`]
    case 'started':
      return [`${step.part} started${step.detail ? `: ${step.detail}` : ''}`]
    case 'stopped':
      return [`${step.part} stopped: ${step.reason}`]
    default:
      return []
  }
}

function projectedText({ projection, events, rows, filled, ms }: Extract<Step, { step: 'projected' }>): string {
  const gaps = filled > 0 ? `, ${filled} of them filled from the log` : ''
  return `${projection} projected ${events} event${events === 1 ? '' : 's'}${gaps} into ${rows} row${rows === 1 ? '' : 's'} in ${durationText(ms)}`
}
