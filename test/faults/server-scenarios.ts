import type { Canary, Expectation, Scenario } from './scenario.ts'

const SERVERS = ['servers'] as const
const ALL = { api: 1, consumer: 1, relay: 1 } as const
/** While the broker is away commands go on, so that their messages must have room in the outbox, whatever was queued before. */
const ROOM = 100

const goesOn: Expectation = {
  says: 'commands are accepted meanwhile',
  holds: ({ meanwhile }) => meanwhile > 0,
}

const loses = (without: Canary['without'][number], shows: string): Canary => ({
  without: [without],
  count: 2,
  shows,
  seen: ({ lost }) => lost > 0,
})

const forgetsFirst = loses('confirm-first', 'messages that no broker ever had')
const writesApart = loses('one-commit', 'events whose messages were never sent')

const countsOutages: Canary = {
  without: ['outage-is-free'],
  count: 3,
  shows: 'attempts that an outage has cost',
  seen: ({ dead, spent }) => dead + spent > 0,
}

/** Every way in which a server can be struck while processes go on. None of them is started again. */
export const serverScenarios: readonly Scenario[] = [
  {
    name: 'postgres-killed',
    numbers: [10],
    fault: 'PostgreSQL killed and started again under load',
    stacks: SERVERS,
    count: 5,
    broker: true,
    processes: ALL,
    strike: { server: 'postgres', how: 'kill', ms: 0, own: true },
    canaries: [countsOutages],
  },
  {
    name: 'postgres-killed-queue',
    numbers: [10],
    fault: 'PostgreSQL killed and started again under load, with the queue and the views in it',
    stacks: SERVERS,
    count: 5,
    processes: { api: 1, consumer: 2 },
    strike: { server: 'postgres', how: 'kill', ms: 300, own: true },
  },
  {
    name: 'postgres-terminated',
    numbers: [12],
    fault: 'every session of PostgreSQL terminated each second',
    stacks: SERVERS,
    count: 8,
    broker: true,
    processes: ALL,
    strike: { server: 'postgres', how: 'terminate', ms: 1_000, own: false },
    canaries: [writesApart],
  },
  {
    name: 'rabbitmq-killed',
    numbers: [15],
    fault: 'RabbitMQ killed and started again under load',
    stacks: SERVERS,
    count: 5,
    broker: true,
    processes: ALL,
    room: ROOM,
    strike: { server: 'rabbitmq', how: 'kill', ms: 0, own: true },
    expects: [goesOn],
    canaries: [forgetsFirst],
  },
  {
    name: 'rabbitmq-down',
    numbers: [15],
    fault: 'RabbitMQ down for long',
    stacks: SERVERS,
    count: 5,
    broker: true,
    processes: ALL,
    room: ROOM,
    strike: { server: 'rabbitmq', how: 'kill', ms: 8_000, own: true },
    expects: [goesOn],
    canaries: [{ ...forgetsFirst, count: 1, thorough: true }],
  },
  {
    name: 'rabbitmq-frozen',
    numbers: [16],
    fault: 'RabbitMQ frozen beyond its heartbeat',
    stacks: SERVERS,
    count: 5,
    broker: true,
    processes: ALL,
    room: ROOM,
    strike: { server: 'rabbitmq', how: 'freeze', ms: 4_500, own: true },
    expects: [goesOn],
    canaries: [{ ...forgetsFirst, count: 1, thorough: true }],
  },
  {
    name: 'bindings-deleted',
    numbers: [19],
    fault: 'bindings of the queues deleted while messages are published',
    stacks: SERVERS,
    count: 6,
    broker: true,
    processes: ALL,
    strike: { server: 'rabbitmq', how: 'unbind', ms: 0, own: false },
    expects: [{ says: 'messages were returned', holds: ({ returned, strikes }) => returned >= strikes }],
    canaries: [forgetsFirst],
  },
  {
    name: 'queues-deleted',
    numbers: [19],
    fault: 'queues deleted while messages are published',
    stacks: SERVERS,
    count: 6,
    broker: true,
    processes: ALL,
    strike: { server: 'rabbitmq', how: 'delete', ms: 0, own: false },
    expects: [{ says: 'messages were returned', holds: ({ returned }) => returned > 0 }],
    canaries: [forgetsFirst],
  },
  {
    name: 'publishers-blocked',
    numbers: [20],
    fault: 'publishers blocked by an alarm of RabbitMQ, and a relay asked to leave meanwhile',
    stacks: SERVERS,
    count: 5,
    broker: true,
    processes: ALL,
    room: ROOM,
    strike: { server: 'rabbitmq', how: 'alarm', ms: 2_000, own: true },
    expects: [goesOn, { says: 'a relay leaves in time', holds: ({ slowestLeave }) => slowestLeave < 10_000 }],
    canaries: [{ ...forgetsFirst, count: 1, thorough: true }],
  },
  {
    name: 'mongodb-killed',
    numbers: [],
    fault: 'the read store killed and started again under load',
    stacks: SERVERS,
    count: 5,
    broker: true,
    processes: ALL,
    strike: { server: 'mongodb', how: 'kill', ms: 500, own: true },
    expects: [goesOn],
    canaries: [countsOutages],
  },
  {
    name: 'mongodb-lost',
    numbers: [],
    fault: 'the read store killed and started again empty',
    stacks: SERVERS,
    count: 5,
    broker: true,
    processes: ALL,
    strike: { server: 'mongodb', how: 'kill', ms: 500, own: true, forgets: true },
    expects: [goesOn],
    canaries: [
      {
        without: ['jump-fill'],
        count: 2,
        shows: 'rows that begin anew in the middle of their key',
        seen: ({ wrongRows }) => wrongRows > 0,
      },
    ],
  },
]
