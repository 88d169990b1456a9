import type { Protection } from 'obverse'

/**
 * What a port has to do, beside the protections that are ours to switch off: taken away at the port, to see that the simulation
 * notices.
 */
export type PortDuty =
  /** A delayed message is not delivered before its time. */
  | 'due-time'
  /** A delivery is acknowledged when it was handled, not when it came. */
  | 'ack-last'
  /** A message that no queue took counts as not sent. */
  | 'mandatory'
  /** A batch of which nothing is known counts as not sent. */
  | 'unknown-is-unsent'
  /** What was claimed by a call whose answer was lost is given back. */
  | 'lost-claims'
  /** What may have been delivered before is marked. */
  | 'redelivered'
  /** A subscription is made again when its connection was lost. */
  | 'resubscribe'
  /** A view store apart keeps its checkpoints beside its rows, so that both are lost together. */
  | 'checkpoint-beside-rows'

export type Mutation = Protection | PortDuty

export type Mutations = ReadonlySet<Mutation>
