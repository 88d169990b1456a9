import type { ServerRecord } from './record.ts'

/** A server that was started here, and may be treated accordingly. */
export interface Instance {
  /** As of the last start. */
  readonly record: ServerRecord
  isUp(): Promise<boolean>
  /** Resolves when it takes clients, on the port it had before. Nothing when it runs. */
  start(): Promise<void>
  /** Stops it cleanly, whoever is connected; its data stays. */
  stop(): Promise<void>
  /** SIGKILL to all of it at once; its data stays. */
  kill9(): Promise<void>
  /** Freezes all of it; connections stay open and nobody answers. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Ends it and removes all it had. */
  discard(): Promise<void>
}
