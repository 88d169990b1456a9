import { type ErrorCode, isObverseError, kindOf } from 'obverse'

/** How a command ended, for shells and supervisors. Documented in help and in docs/reference/cli.md. */
export const EXIT = {
  done: 0,
  /** It failed, or it found something wrong. */
  failed: 1,
  /** It cannot be understood or set up: starting it again changes nothing. */
  usage: 2,
  /** Something below is unreachable: starting it again later may work. */
  outage: 3,
  failureLimit: 4,
  memoryLimit: 5,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** What each means, for help. */
export const EXIT_TEXTS: readonly (readonly [code: string, text: string])[] = [
  ['0', 'done; a consumer was stopped by a signal or by --limit, --time-limit, --stop-when-empty'],
  ['1', 'it failed, or found something wrong (an error of doctor, a difference of verify, no such id)'],
  ['2', 'the command line or the application is wrong: starting again changes nothing'],
  ['3', 'a store or broker is unreachable: try again later'],
  ['4', 'consume: stopped by --failure-limit'],
  ['5', 'consume: stopped by --memory-limit, start it again'],
  ['130, 143', 'a second Ctrl-C or SIGTERM ended it at once'],
]

const SETUP: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'USAGE',
  'CONFIGURATION_INVALID',
  'DEFINITION_DUPLICATE',
  'HANDLER_DUPLICATE',
  'HANDLER_MISSING',
  'CHANNEL_UNKNOWN',
  'VIEW_UNFILLED',
  'LOOKUP_UNDECLARED',
  'SCHEMA_OUTDATED',
])

export function exitCodeOf(error: unknown): ExitCode {
  if (isObverseError(error) && SETUP.has(error.code)) return EXIT.usage
  return kindOf(error) === 'outage' ? EXIT.outage : EXIT.failed
}
