import { scenarios } from './scenarios.ts'

/** A fault that is to be shown, by the number that docs and scenarios call it. */
export interface Numbered {
  readonly number: number
  readonly fault: string
  /** How often it is to be shown in full. */
  readonly meant?: string
  /** Files of tests that show it, beside the scenarios that name the number. */
  readonly tests?: readonly string[]
  /** What of it nothing here shows, and why. Where nothing shows anything of it: why not. */
  readonly notRun?: string
}

/** Of 26 and of the missing parts of 14 and 27 the stores are missing: MariaDB, Redis, Elasticsearch, Cassandra. */
export const NUMBERED: readonly Numbered[] = [
  { number: 1, fault: 'a consumer dies between its commit and the acknowledgement', meant: '1,000' },
  { number: 2, fault: 'a consumer dies between its handler and the commit', meant: '1,000' },
  { number: 3, fault: 'a relay dies between the confirm of the broker and the end of the outbox row', meant: '1,000' },
  {
    number: 4,
    fault: 'a relay dies between publish and confirm, then the broker restarts',
    notRun:
      'no scenario kills both at once: the broker is killed while messages are on their way, and relays are killed beside it',
  },
  { number: 5, fault: 'a command is rolled back after it has published' },
  {
    number: 6,
    fault: 'commits out of order: 64 writers, late, some rolled back',
    meant: '10 minutes',
    tests: ['test/adapters/postgres/log-order.test.ts'],
  },
  {
    number: 7,
    fault: 'commits of one key in another order than their numbers were drawn',
    tests: ['test/adapters/postgres/log-order.test.ts'],
  },
  {
    number: 8,
    fault: 'an idle transaction, here and in another database; an old snapshot',
    meant: '10 minutes',
    tests: ['test/adapters/postgres/examine.test.ts'],
  },
  {
    number: 9,
    fault: 'many numbers burnt by rollbacks, and the reader restarted',
    meant: '10,000 rollbacks',
    tests: ['test/adapters/postgres/log-order.test.ts'],
  },
  { number: 10, fault: 'PostgreSQL is killed', meant: '50' },
  { number: 11, fault: 'PostgreSQL is frozen', meant: '30 s' },
  { number: 12, fault: 'every session of PostgreSQL is terminated, each second', meant: '300' },
  {
    number: 13,
    fault: 'the disk of the database is full',
    tests: ['test/faults/sweep.test.ts'],
    notRun:
      'PostgreSQL on a disk that is full, and a disk that stays full: a small one has to be mounted, which a test may not everywhere',
  },
  {
    number: 14,
    fault: 'serialization failures and deadlocks',
    notRun: 'real deadlocks, which MariaDB makes and for which there is no adapter',
  },
  { number: 15, fault: 'RabbitMQ is killed', meant: '100' },
  { number: 16, fault: 'RabbitMQ is frozen beyond its heartbeat', meant: '90 s' },
  { number: 17, fault: 'a connection is cut after a random byte', meant: '5,000' },
  { number: 18, fault: 'a connection is silent in one direction', meant: '5 minutes' },
  { number: 19, fault: 'a queue or a binding is deleted while messages are published' },
  { number: 20, fault: 'publishers are blocked by an alarm of the broker', meant: '5 minutes' },
  {
    number: 21,
    fault: 'a handler takes longer than its lease',
    tests: ['test/adapters/sqlite/processes.test.ts', 'test/wire/consumer/timeout.test.ts'],
  },
  { number: 22, fault: 'a message ends every process that handles it', meant: '20 processes, 10,000 messages' },
  {
    number: 23,
    fault: 'consumers are killed while many messages are under way',
    meant: '500',
    tests: ['test/adapters/rabbitmq/acknowledgements.test.ts'],
  },
  {
    number: 24,
    fault: 'a dependency of handlers fails and comes back',
    meant: '200',
    tests: ['test/wire/consumer/outage.test.ts', 'test/wire/consumer/redelivered.test.ts'],
  },
  { number: 25, fault: 'a process is stopped beyond its lease and continued' },
  {
    number: 27,
    fault: 'a projector dies between its rows and its checkpoint',
    meant: '1,000',
    tests: ['test/read/exact-rows.test.ts'],
  },
  {
    number: 28,
    fault: 'a rebuild is killed while it serves',
    meant: '10',
    tests: ['test/read/rebuild.test.ts', 'test/paths/rebuild.test.ts'],
    notRun: 'its process is not killed: it is stood still or cut off within one process',
  },
  {
    number: 29,
    fault: 'a write is read back while the projector is stopped or killed',
    meant: '1,000 clients',
    tests: ['test/paths/read-your-writes.test.ts', 'test/read/wait.test.ts'],
    notRun: 'the projector is not killed meanwhile',
  },
  { number: 30, fault: 'a rolling restart under load', meant: '120', tests: ['test/paths/rolling.test.ts'] },
  {
    number: 31,
    fault: 'every write of the embedded store fails once, or ends the process',
    meant: 'every write',
    tests: ['test/faults/sweep.test.ts'],
  },
  { number: 32, fault: 'the last record of the embedded store is torn', tests: ['test/faults/sweep.test.ts'] },
  {
    number: 33,
    fault: 'dead letters are retried in bulk and the replayer is killed',
    meant: '50',
  },
  {
    number: 34,
    fault: 'a clock jumps by an hour',
    tests: [
      'test/adapters/sqlite/processes.test.ts',
      'test/adapters/postgres/queue/owners.test.ts',
      'test/wire/schedule.test.ts',
    ],
    notRun: 'no scenario moves a clock under load',
  },
]

/** Names of the scenarios that show a number. */
export function scenariosFor(number: number): readonly string[] {
  return scenarios.filter(({ numbers }) => numbers.includes(number)).map(({ name }) => name)
}
