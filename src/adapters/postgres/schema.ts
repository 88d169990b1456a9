/**
 * Our tables. Texts compare by code point (`COLLATE "C"`), times are epoch milliseconds of the database clock or ISO texts
 * as messages carry them. A step that was released is never changed: a change is a new step at the end of {@link STEPS}.
 */

/** Ours are recorded as `obverse/1`, the application's as it calls them. */
export const STEP_PREFIX = 'obverse/'

export const MIGRATION_TABLE = `CREATE TABLE IF NOT EXISTS obverse_migration (
  name text COLLATE "C" PRIMARY KEY,
  at   timestamptz NOT NULL DEFAULT now()
)`

/**
 * The log. `number` is drawn after the row of the event's key is locked, so within a key it rises with `seq`; between keys
 * it says nothing of the order of commits. No reader goes by it: see `obverse_position`.
 */
const EVENT = [
  'CREATE SEQUENCE obverse_event_number AS bigint',
  `CREATE TABLE obverse_event (
  number         bigint PRIMARY KEY,
  id             text COLLATE "C" NOT NULL UNIQUE,
  type           text COLLATE "C" NOT NULL,
  schema_version integer NOT NULL,
  key            text COLLATE "C" NOT NULL,
  seq            bigint NOT NULL,
  time           text COLLATE "C" NOT NULL,
  correlation_id text COLLATE "C" NOT NULL,
  causation_id   text COLLATE "C",
  data           text NOT NULL,
  metadata       text NOT NULL,
  UNIQUE (key, seq)
)`,
  'CREATE INDEX obverse_event_correlation ON obverse_event (correlation_id)',
]

/** The seq of each key's last event. Its row is locked by whoever appends. Room for updates in place. */
const KEY = `CREATE TABLE obverse_key (
  key text COLLATE "C" PRIMARY KEY,
  seq bigint NOT NULL
) WITH (fillfactor = 80)`

/** Places in the log: gapless, given after the commit, one statement at a time. Never updated. */
const POSITION = `CREATE TABLE obverse_position (
  position bigint PRIMARY KEY,
  number   bigint NOT NULL UNIQUE
)`

/** Committed events that have no position yet. Rows live for milliseconds, so they are vacuumed early. */
const UNSTAMPED = `CREATE TABLE obverse_unstamped (
  number bigint PRIMARY KEY
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0)`

/**
 * Outbox and queue in one: a row for each message and channel, hardly ever updated, removed when it is settled. `event`: the
 * number of the event whose columns make the body; `body`: of a command, or of a text that somebody put there; `bytes`:
 * of one with a NUL or with bytes that are not UTF-8, which no text column can hold. `due`: not there for anybody before.
 * `retry_at`: a relay does not take it before, and it holds up its key. `taken`: somebody had it and did not settle it.
 */
const QUEUE = [
  `CREATE TABLE obverse_queue (
  id         bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME obverse_queue_number) PRIMARY KEY,
  channel    text COLLATE "C" NOT NULL,
  message_id text COLLATE "C" NOT NULL,
  key        text COLLATE "C",
  event      bigint,
  body       text,
  bytes      bytea,
  command    boolean NOT NULL DEFAULT false,
  at         bigint NOT NULL,
  due        bigint,
  retry_at   bigint,
  taken      boolean NOT NULL DEFAULT false
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0)`,
  'CREATE INDEX obverse_queue_ready ON obverse_queue (channel, id) WHERE due IS NULL AND retry_at IS NULL',
  'CREATE INDEX obverse_queue_key ON obverse_queue (channel, key, id) WHERE due IS NULL',
  'CREATE INDEX obverse_queue_due ON obverse_queue (due) WHERE due IS NOT NULL',
  'CREATE INDEX obverse_queue_retry ON obverse_queue (retry_at) WHERE retry_at IS NOT NULL',
  'CREATE INDEX obverse_queue_retrying ON obverse_queue (channel, key) WHERE retry_at IS NOT NULL',
  'CREATE INDEX obverse_queue_command ON obverse_queue (message_id) WHERE command',
]

/**
 * Queue rows that somebody has. Unlogged, as owners are: after a crash of the server nobody has anything, every settlement of
 * what was out is refused, and the rows are taken anew.
 */
const CLAIM = `CREATE UNLOGGED TABLE obverse_claim (
  id      bigint PRIMARY KEY,
  channel text COLLATE "C" NOT NULL,
  key     text COLLATE "C",
  owner   text COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0)`

/** What was handled. */
const INBOX = [
  `CREATE TABLE obverse_inbox (
  message_id text COLLATE "C" NOT NULL,
  handler    text COLLATE "C" NOT NULL,
  at         bigint NOT NULL,
  PRIMARY KEY (message_id, handler)
)`,
  'CREATE INDEX obverse_inbox_at ON obverse_inbox USING brin (at) WITH (pages_per_range = 16)',
]

const ATTEMPT = `CREATE TABLE obverse_attempt (
  message_id text COLLATE "C" NOT NULL,
  handler    text COLLATE "C" NOT NULL,
  attempts   integer NOT NULL,
  PRIMARY KEY (message_id, handler)
)`

/**
 * Held rows and dead letters. `lane`: it holds up later rows of (handler, key). `head`: nothing is before it. Whatever adds
 * to, takes from or reorders a lane has locked it first (lane-lock.ts). `lost`: an owner died with it. `version`: of a
 * message that was refused as unknown and is taken back once it is known. `body` as bytes: a broken message may hold
 * what no text can.
 */
const HELD = [
  `CREATE TABLE obverse_held (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  handler       text COLLATE "C",
  key           text COLLATE "C",
  lane          boolean NOT NULL,
  head          boolean NOT NULL,
  state         text COLLATE "C" NOT NULL CHECK (state IN ('retry', 'waiting', 'dead', 'skipped')),
  ordered       boolean NOT NULL,
  message_id    text COLLATE "C",
  type          text COLLATE "C",
  channel       text COLLATE "C" NOT NULL,
  attempts      integer NOT NULL,
  due           bigint NOT NULL,
  owner         text COLLATE "C",
  lost          boolean NOT NULL DEFAULT false,
  tracked       boolean NOT NULL DEFAULT false,
  code          text NOT NULL DEFAULT '',
  reason        text NOT NULL DEFAULT '',
  detail        text NOT NULL DEFAULT '',
  at            text COLLATE "C" NOT NULL,
  note          text,
  version       integer,
  body          bytea NOT NULL,
  original_body bytea
) WITH (fillfactor = 80)`,
  'CREATE INDEX obverse_held_lane ON obverse_held (handler, key, id) WHERE lane',
  "CREATE INDEX obverse_held_head ON obverse_held (handler, due) WHERE head AND owner IS NULL AND state IN ('retry', 'waiting')",
  'CREATE INDEX obverse_held_message ON obverse_held (message_id, handler)',
  "CREATE INDEX obverse_held_unknown ON obverse_held (channel, type, version) WHERE version IS NOT NULL AND state = 'dead'",
  'CREATE INDEX obverse_held_owner ON obverse_held (owner) WHERE owner IS NOT NULL',
  'CREATE INDEX obverse_held_state ON obverse_held (state, id)',
]

const STATUS = [
  `CREATE TABLE obverse_status (
  message_id     text COLLATE "C" PRIMARY KEY,
  type           text COLLATE "C" NOT NULL,
  state          text COLLATE "C" NOT NULL,
  result         text,
  code           text COLLATE "C",
  reason         text,
  correlation_id text COLLATE "C" NOT NULL,
  causation_id   text COLLATE "C",
  accepted_at    text COLLATE "C" NOT NULL,
  changed_at     text COLLATE "C" NOT NULL,
  due            text COLLATE "C"
) WITH (fillfactor = 80)`,
  'CREATE INDEX obverse_status_correlation ON obverse_status (correlation_id)',
]

/** Answers to repeat, by idempotency key. */
const ANSWER = [
  `CREATE TABLE obverse_answer (
  principal   text COLLATE "C" NOT NULL,
  command     text COLLATE "C" NOT NULL,
  key         text COLLATE "C" NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  outcome     text COLLATE "C" NOT NULL,
  body        text NOT NULL,
  token       text NOT NULL,
  at          bigint NOT NULL,
  PRIMARY KEY (principal, command, key)
)`,
  'CREATE INDEX obverse_answer_at ON obverse_answer (at)',
]

const SNAPSHOT = `CREATE TABLE obverse_snapshot (
  name    text COLLATE "C" NOT NULL,
  key     text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  seq     bigint NOT NULL,
  state   text NOT NULL,
  PRIMARY KEY (name, key)
)`

const CHECKPOINT = `CREATE TABLE obverse_checkpoint (
  name     text COLLATE "C" PRIMARY KEY,
  position bigint NOT NULL
) WITH (fillfactor = 50)`

const GENERATION = `CREATE TABLE obverse_generation (
  view      text COLLATE "C" PRIMARY KEY,
  serving   integer NOT NULL,
  building  integer,
  follow_to bigint,
  previous  integer
)`

/**
 * Who has taken rows. `beat`: the last sign of life, by the clock of the database alone; silent for `lease` milliseconds, it
 * is dead. `leads`: the one whose relay publishes.
 */
const OWNER = [
  `CREATE UNLOGGED TABLE obverse_owner (
  id      text COLLATE "C" PRIMARY KEY,
  host    text NOT NULL,
  pid     integer NOT NULL,
  channel text COLLATE "C",
  leads   boolean NOT NULL DEFAULT false,
  beat    timestamptz NOT NULL DEFAULT clock_timestamp(),
  lease   integer NOT NULL
) WITH (fillfactor = 50)`,
  'CREATE UNIQUE INDEX obverse_owner_leader ON obverse_owner (leads) WHERE leads',
]

export interface SchemaStep {
  readonly name: string
  readonly statements: readonly string[]
}

export const STEPS: readonly SchemaStep[] = [
  {
    name: `${STEP_PREFIX}1`,
    statements: [
      ...EVENT,
      KEY,
      POSITION,
      UNSTAMPED,
      ...QUEUE,
      ...INBOX,
      ATTEMPT,
      ...HELD,
      ...STATUS,
      ...ANSWER,
      SNAPSHOT,
      CHECKPOINT,
      GENERATION,
      CLAIM,
      ...OWNER,
    ],
  },
]
