/**
 * Steps at which a test may crash, delay or count. A {@link Runtime} that has `reach` is told of each; the system
 * runtime has none, so nothing is paid for it.
 */
export type FaultPoint =
  | 'commit.before'
  | 'commit.after'
  | 'handler.before'
  | 'handler.after'
  | 'ack.before'
  | 'ack.after'
  | 'relay.claimed'
  | 'relay.published'
  | 'relay.done'
  | 'projection.loaded'
  | 'projection.saved'
  | 'checkpoint.before'
  | 'rebuild.batch'
  | 'rebuild.switched'

/**
 * Protections that a test may take away, one at a time, to show that the test would notice (a canary). Only a runtime
 * made by a test has `without`.
 */
export type Protection =
  /** Inbox marks are not looked at. */
  | 'inbox'
  /** Expected versions are not compared. */
  | 'expected-version'
  /** Rows of one key are saved whatever seq they hold. */
  | 'guard-by-seq'
  /** Rows of gathering views are saved whatever position they hold. */
  | 'guard-by-position'
  /** A jump in seq is applied without asking the log. */
  | 'jump-fill'
  /** A lane's held rows do not stop its later messages. */
  | 'held-lane'
  /** The attempt of a redelivered message is not recorded before its handler runs. */
  | 'attempt-first'
  /** A dead letter does not hold its key. */
  | 'parking'
  /** Idempotency keys are not claimed. */
  | 'idempotency-claim'
  /** The outbox row is written in a commit of its own, after the state. */
  | 'one-commit'
  /** A queue row is settled whoever owns it. */
  | 'settlement-fence'
  /** Messages of one key run side by side. */
  | 'lane-order'
  /** A checkpoint moves from wherever it is. */
  | 'checkpoint-fence'
  /** The relay publishes the next message of a key before the last is confirmed. */
  | 'one-unconfirmed'
  /** The log is read by insertion id, not by position. */
  | 'log-by-position'
  /** Outages count as attempts. */
  | 'outage-is-free'
  /** The relay forgets a row before the broker has confirmed it. */
  | 'confirm-first'
  /** Queries with a token do not wait. */
  | 'wait-for-token'
  /** A rebuild switches before it has caught up. */
  | 'catch-up-first'
