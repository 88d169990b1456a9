/**
 * The states of a {@link Link}, be it to the server or an AMQP channel on such a connection: everything that is lost and made again goes
 * through this table, and nothing else decides.
 *
 * - `idle`: nobody has needed it yet
 * - `blocked`: open, but the server takes no messages because of an alarm
 * - `waiting`: lost or refused; it is tried again after a while, without end
 */
export type LinkState = 'idle' | 'connecting' | 'open' | 'blocked' | 'waiting' | 'closing' | 'closed'

export type LinkEvent =
  | 'needed'
  | 'opened'
  | 'failed'
  | 'blocked'
  | 'unblocked'
  | 'lost'
  /** Waited long enough. */
  | 'due'
  | 'close'
  /** What was being opened or closed has ended. */
  | 'ended'

export const TRANSITIONS: Readonly<Record<LinkState, Readonly<Partial<Record<LinkEvent, LinkState>>>>> = {
  idle: { needed: 'connecting', close: 'closed' },
  connecting: { opened: 'open', failed: 'waiting', close: 'closing' },
  open: { blocked: 'blocked', lost: 'waiting', close: 'closing' },
  blocked: { unblocked: 'open', lost: 'waiting', close: 'closing' },
  waiting: { due: 'connecting', close: 'closed' },
  closing: { ended: 'closed' },
  closed: {},
}

/** Undefined: `event` means nothing in `state`, as when two sides report one loss. */
export function next(state: LinkState, event: LinkEvent): LinkState | undefined {
  return TRANSITIONS[state][event]
}
