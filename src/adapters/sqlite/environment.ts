import type { Protection, Registry, Runtime } from 'obverse'
import type { Settings } from './options.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** One file with its two connections. */
export interface OpenFile {
  readonly runtime: Runtime
  readonly settings: Settings
  readonly writer: Writer
  readonly reader: Reader
}

/** What the ports of a store share. */
export interface Environment extends OpenFile {
  readonly registry: Registry
}

/** True unless a test has taken the protection away. */
export function guards({ runtime }: Pick<OpenFile, 'runtime'>, protection: Protection): boolean {
  return !runtime.without?.has(protection)
}
