import { isObverseError } from '../errors.ts'
import { isoTime, systemRuntime } from '../runtime/clock.ts'
import type { Observer, Step } from '../runtime/observer.ts'

/** The shape of pino, and of most loggers beside it: fields first, then a text. */
export interface Logger {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

export interface JsonLogOptions {
  /** `notable` (default) leaves out what happens several times for each message: received, handling, sending, stamped. */
  readonly steps?: 'notable' | 'all'
  /** Epoch milliseconds. Default: the system's clock. A logger stamps its own time. */
  readonly now?: () => number
}

const CHATTY: ReadonlySet<Step['step']> = new Set([
  'received',
  'handling',
  'sending',
  'stamped',
  'published',
  'rebuilding',
])
const LEVELS: Partial<Record<Step['step'], keyof Logger>> = {
  retrying: 'warn',
  returned: 'warn',
  outage: 'warn',
  warned: 'warn',
  dead: 'error',
  failed: 'error',
}

/**
 * Writes steps for machines: to a function, one JSON line each, `{"level","time","step",…}` without a line break at
 * its end; to a logger of pino's shape, one call each.
 *
 * @example
 * app.observe(logJson((line) => process.stdout.write(`${line}\n`)))
 * app.observe(logJson(pino()))
 */
export function logJson(
  to: ((line: string) => void) | Logger,
  { steps = 'notable', now = systemRuntime.now }: JsonLogOptions = {},
): Observer {
  return (step) => {
    if (steps === 'notable' && CHATTY.has(step.step)) return
    const level = levelOf(step)
    const fields = step.step === 'failed' ? { ...step, error: errorFields(step.error) } : step
    if (typeof to === 'function') to(JSON.stringify({ level, time: isoTime(now()), ...fields }))
    else to[level](fields, textOf(step))
  }
}

function levelOf(step: Step): keyof Logger {
  if ((step.step === 'sent' || step.step === 'asked') && step.outcome === 'failed') return 'error'
  return LEVELS[step.step] ?? 'info'
}

/** Short and the same for every message of a type, so that a log can be grouped by it. */
function textOf(step: Step): string {
  const what = 'type' in step ? step.type : 'part' in step ? step.part : 'projection' in step ? step.projection : ''
  return what ? `${step.step} ${what}` : step.step
}

function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) }
  const code = isObverseError(error) ? error.code : error.name
  return { code, message: error.message, stack: error.stack }
}
