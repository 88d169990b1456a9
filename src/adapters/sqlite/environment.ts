import type { Protection, Registry, Runtime } from 'obverse'
import type { Settings } from './options.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** What the ports of one opened file share. */
export interface Environment {
  readonly runtime: Runtime
  readonly registry: Registry
  readonly settings: Settings
  readonly writer: Writer
  readonly reader: Reader
}

/** True unless a test has taken the protection away. */
export function guards({ runtime }: Pick<Environment, 'runtime'>, protection: Protection): boolean {
  return !runtime.without?.has(protection)
}
