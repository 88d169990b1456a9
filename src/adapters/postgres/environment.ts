import type { Protection, Registry, Runtime } from 'obverse'
import type { Line } from './line.ts'
import type { Settings } from './options.ts'
import type { Sessions } from './pool.ts'

/** What the ports of a store share. */
export interface Environment {
  readonly runtime: Runtime
  readonly registry: Registry
  readonly settings: Settings
  readonly sessions: Sessions
  /** For short statements that read. */
  readonly reader: Line
  /** For short statements that write, each committed by itself. */
  readonly writer: Line
  /** Something was committed here that others may want to know of. */
  readonly news: () => void
}

/** True unless a test has taken the protection away. */
export function guards({ runtime }: Pick<Environment, 'runtime'>, protection: Protection): boolean {
  return !runtime.without?.has(protection)
}
