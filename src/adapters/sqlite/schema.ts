/**
 * Our tables. Types are checked by SQLite (STRICT). A step that was released is never changed: a change is a new
 * step at the end of {@link STEPS}.
 */

/** Names of what was applied: ours as `obverse/1`, the application's as it calls them. */
export const MIGRATION_TABLE = `CREATE TABLE IF NOT EXISTS obverse_migration (
  name TEXT PRIMARY KEY,
  at   TEXT NOT NULL
) STRICT, WITHOUT ROWID`

/** The log. AUTOINCREMENT gives a position that is gapless (one writer) and is never given twice, whatever is deleted. */
const EVENT = `CREATE TABLE obverse_event (
  position       INTEGER PRIMARY KEY AUTOINCREMENT,
  id             TEXT NOT NULL UNIQUE,
  type           TEXT NOT NULL,
  schema_version INTEGER NOT NULL,
  key            TEXT NOT NULL,
  seq            INTEGER NOT NULL,
  time           TEXT NOT NULL,
  correlation_id TEXT NOT NULL,
  causation_id   TEXT,
  data           TEXT NOT NULL,
  metadata       TEXT NOT NULL,
  UNIQUE (key, seq)
) STRICT`
const EVENT_CORRELATION = 'CREATE INDEX obverse_event_correlation ON obverse_event (correlation_id)'

/** The seq of each key's last event. */
const KEY = `CREATE TABLE obverse_key (
  key TEXT PRIMARY KEY,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID`

/**
 * Outbox and queue in one: a row for each message and channel. `due`: not there for anybody before. `retry_at`: not
 * taken before, and holds up its key. `taken` = 1: somebody had it and did not settle it. AUTOINCREMENT, because a late
 * acknowledgement must not meet another message under the same id.
 */
const QUEUE = `CREATE TABLE obverse_queue (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  channel    TEXT NOT NULL,
  message_id TEXT NOT NULL,
  key        TEXT,
  command    INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  due        INTEGER,
  retry_at   INTEGER,
  taken      INTEGER NOT NULL DEFAULT 0,
  body       TEXT NOT NULL
) STRICT`
/** Partial, so that a claim looks at rows it may have, however many others there are. */
const QUEUE_INDEXES = [
  'CREATE INDEX obverse_queue_ready ON obverse_queue (channel) WHERE due IS NULL AND retry_at IS NULL',
  'CREATE INDEX obverse_queue_key ON obverse_queue (channel, key) WHERE due IS NULL AND retry_at IS NULL',
  'CREATE INDEX obverse_queue_due ON obverse_queue (due) WHERE due IS NOT NULL',
  'CREATE INDEX obverse_queue_retry ON obverse_queue (retry_at) WHERE retry_at IS NOT NULL',
  'CREATE INDEX obverse_queue_command ON obverse_queue (message_id) WHERE command = 1',
]

/**
 * Queue rows that somebody has. Apart from the queue, because there are few of them: taking and settling touch one
 * small page, and a message's own row is written once and deleted once.
 */
const CLAIM = `CREATE TABLE obverse_claim (
  id      INTEGER PRIMARY KEY,
  channel TEXT NOT NULL,
  owner   TEXT NOT NULL,
  key     TEXT
) STRICT`

/** What was handled. Rows are in the order in which they were added, so that the oldest are found from the front. */
const INBOX = `CREATE TABLE obverse_inbox (
  number     INTEGER PRIMARY KEY,
  message_id TEXT NOT NULL,
  handler    TEXT NOT NULL,
  at         INTEGER NOT NULL,
  UNIQUE (message_id, handler)
) STRICT`

const ATTEMPT = `CREATE TABLE obverse_attempt (
  message_id TEXT NOT NULL,
  handler    TEXT NOT NULL,
  attempts   INTEGER NOT NULL,
  PRIMARY KEY (message_id, handler)
) STRICT, WITHOUT ROWID`

/**
 * Held rows and dead letters. `lane` = 1: it holds up later rows of (handler, key). `head` = 1: nothing is before it.
 * `lost` = 1: an owner died with it. `version`: of a message that was refused as unknown and is taken back once it is.
 */
const HELD = `CREATE TABLE obverse_held (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  handler       TEXT,
  key           TEXT,
  lane          INTEGER NOT NULL,
  head          INTEGER NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('retry', 'waiting', 'dead', 'skipped')),
  ordered       INTEGER NOT NULL,
  message_id    TEXT,
  type          TEXT,
  channel       TEXT NOT NULL,
  attempts      INTEGER NOT NULL,
  due           INTEGER NOT NULL,
  owner         TEXT,
  lost          INTEGER NOT NULL DEFAULT 0,
  tracked       INTEGER NOT NULL DEFAULT 0,
  code          TEXT NOT NULL DEFAULT '',
  reason        TEXT NOT NULL DEFAULT '',
  detail        TEXT NOT NULL DEFAULT '',
  at            TEXT NOT NULL,
  note          TEXT,
  version       INTEGER,
  body          TEXT NOT NULL,
  original_body TEXT
) STRICT`
const HELD_INDEXES = [
  'CREATE INDEX obverse_held_lane ON obverse_held (handler, key) WHERE lane = 1',
  "CREATE INDEX obverse_held_head ON obverse_held (handler, due) WHERE head = 1 AND owner IS NULL AND state IN ('retry', 'waiting')",
  'CREATE INDEX obverse_held_message ON obverse_held (message_id, handler)',
  "CREATE INDEX obverse_held_unknown ON obverse_held (channel, type, version) WHERE version IS NOT NULL AND state = 'dead'",
  'CREATE INDEX obverse_held_owner ON obverse_held (owner) WHERE owner IS NOT NULL',
  'CREATE INDEX obverse_held_state ON obverse_held (state)',
  'CREATE INDEX obverse_held_handler ON obverse_held (handler, state)',
]

const STATUS = `CREATE TABLE obverse_status (
  message_id     TEXT PRIMARY KEY,
  type           TEXT NOT NULL,
  state          TEXT NOT NULL,
  result         TEXT,
  code           TEXT,
  reason         TEXT,
  correlation_id TEXT NOT NULL,
  causation_id   TEXT,
  accepted_at    TEXT NOT NULL,
  changed_at     TEXT NOT NULL,
  due            TEXT
) STRICT, WITHOUT ROWID`
const STATUS_CORRELATION = 'CREATE INDEX obverse_status_correlation ON obverse_status (correlation_id)'

/** Answers to repeat, by idempotency key. */
const ANSWER = `CREATE TABLE obverse_answer (
  principal   TEXT NOT NULL,
  command     TEXT NOT NULL,
  key         TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  outcome     TEXT NOT NULL,
  body        TEXT NOT NULL,
  token       TEXT NOT NULL,
  at          INTEGER NOT NULL,
  PRIMARY KEY (principal, command, key)
) STRICT, WITHOUT ROWID`
const ANSWER_AT = 'CREATE INDEX obverse_answer_at ON obverse_answer (at)'

const SNAPSHOT = `CREATE TABLE obverse_snapshot (
  name    TEXT NOT NULL,
  key     TEXT NOT NULL,
  version INTEGER NOT NULL,
  seq     INTEGER NOT NULL,
  state   TEXT NOT NULL,
  PRIMARY KEY (name, key)
) STRICT, WITHOUT ROWID`

const CHECKPOINT = `CREATE TABLE obverse_checkpoint (
  name     TEXT PRIMARY KEY,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID`

const GENERATION = `CREATE TABLE obverse_generation (
  view      TEXT PRIMARY KEY,
  serving   INTEGER NOT NULL,
  building  INTEGER,
  follow_to INTEGER,
  previous  INTEGER
) STRICT, WITHOUT ROWID`

/** Who takes rows. `beat` only has to change: whoever looks measures by its own clock how long it did not. */
const OWNER = `CREATE TABLE obverse_owner (
  id      TEXT PRIMARY KEY,
  host    TEXT NOT NULL,
  pid     INTEGER NOT NULL,
  channel TEXT,
  beat    INTEGER NOT NULL
) STRICT, WITHOUT ROWID`

export interface SchemaStep {
  readonly name: string
  readonly statements: readonly string[]
}

export const STEP_PREFIX = 'obverse/'

/** The tables of a queue in a file of its own: the same ones, and which channels were declared. */
export const BROKER_STEP: SchemaStep = {
  name: `${STEP_PREFIX}broker-1`,
  statements: [
    'CREATE TABLE obverse_channel (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID',
    QUEUE,
    ...QUEUE_INDEXES,
    CLAIM,
    OWNER,
  ],
}

export const STEPS: readonly SchemaStep[] = [
  {
    name: `${STEP_PREFIX}1`,
    statements: [
      EVENT,
      EVENT_CORRELATION,
      KEY,
      QUEUE,
      ...QUEUE_INDEXES,
      CLAIM,
      INBOX,
      ATTEMPT,
      HELD,
      ...HELD_INDEXES,
      STATUS,
      STATUS_CORRELATION,
      ANSWER,
      ANSWER_AT,
      SNAPSHOT,
      CHECKPOINT,
      GENERATION,
      OWNER,
    ],
  },
]
