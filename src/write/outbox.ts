import type { Outgoing } from '../message/envelope.ts'

/**
 * What a unit sends besides its events: commands for channels, written in the same transaction. Each becomes one
 * outbox row per channel, and a status row when `tracked`. (The other half, claiming, is `wire/outbox.ts`.)
 */
export interface NewMessage {
  readonly message: Outgoing
  /** Keep a status row, so that its outcome can be asked for. */
  readonly tracked: boolean
}
