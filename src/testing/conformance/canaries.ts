import type { Protection } from 'obverse'

/**
 * Protections that stores implement, and the case that must fail without each. A contract that still passes with its
 * protection off proves nothing.
 */
export const CANARIES: readonly (readonly [Protection, string])[] = [
  ['inbox', 'entry: a delivery is handled once per handler: the second copy is a duplicate and does nothing'],
  ['expected-version', 'transaction: an expected version that does not hold is a conflict, above and below'],
  ['guard-by-seq', 'view: a row of one key refuses a lower or equal mark, in the write itself'],
  ['guard-by-position', 'view: a row of a gathering view refuses a lower or equal position'],
  ['held-lane', 'entry: a message whose lane has held rows joins them and is settled'],
  ['parking', 'held: a dead letter holds its lane, and no other'],
  ['idempotency-claim', 'entry: an idempotency key is answered once; its repeats get that answer and do nothing'],
  ['one-commit', 'entry: state, events, messages, mark, status and answer are there together, or not at all'],
  ['settlement-fence', 'entry: a queue row that is not ours is lost: nothing is done'],
  ['lane-order', 'broker: a key is never in two subscriptions at once, and every message comes once'],
  [
    'checkpoint-fence',
    'checkpoint: a checkpoint starts at 0 and moves from where its holder believes it to be, or not at all',
  ],
  ['one-unconfirmed', 'outbox: at most one message of a key is out per channel; the next comes when it is done'],
  [
    'log-by-position',
    'log: concurrent transactions that commit late are skipped by no reader, and keep the order of their keys',
  ],
]
