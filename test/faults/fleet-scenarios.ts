import type { Scenario } from './scenario.ts'

const CONSUMED = ['handler.after', 'commit.before', 'projection.saved'] as const

/** Processes that die or leave at any time, in turn and beside each other. */
export const fleetScenarios: readonly Scenario[] = [
  {
    name: 'consumers-in-turn',
    numbers: [23],
    fault: 'two consumers killed in turn',
    count: 30,
    processes: { api: 1, consumer: 2 },
    crash: { consumer: { points: [...CONSUMED, 'commit.after'], within: 60 } },
  },
  {
    name: 'anybody',
    numbers: [23],
    fault: 'anybody killed at any time, queue in the store',
    count: 20,
    processes: { api: 1, consumer: 2 },
    chance: ['api', 'consumer'],
  },
  {
    name: 'anybody-broker',
    numbers: [23],
    fault: 'anybody killed at any time, broker apart',
    count: 20,
    broker: true,
    processes: { api: 1, consumer: 2, relay: 2 },
    chance: ['api', 'consumer', 'relay'],
  },
  {
    name: 'consumer-before-commit-broker',
    numbers: [2],
    fault: 'consumer of a broker apart killed between its handler and the commit',
    count: 5,
    broker: true,
    processes: { api: 1, consumer: 1, relay: 1 },
    crash: { consumer: { points: ['handler.after', 'commit.before'], following: 'handler.after', within: 30 } },
  },
  {
    name: 'partitions-in-turn',
    numbers: [23],
    fault: 'two consumers with two partitions killed in turn',
    count: 6,
    broker: true,
    partitions: 2,
    processes: { api: 1, consumer: 2, relay: 1 },
    crash: { consumer: { points: [...CONSUMED, 'commit.after', 'ack.before'], within: 60 } },
    canaries: [
      {
        without: ['inbox'],
        count: 4,
        shows: 'messages that were handled again',
        seen: ({ appliedTwice }) => appliedTwice > 0,
      },
    ],
  },
  {
    name: 'dependency',
    numbers: [24],
    fault: 'what handlers depend on goes away and comes back while they work',
    count: 10,
    broker: true,
    processes: { api: 1, consumer: 1, relay: 1 },
    dependency: true,
    canaries: [
      {
        without: ['outage-is-free'],
        count: 3,
        shows: 'attempts that an outage has cost',
        seen: ({ spent, dead }) => spent + dead > 0,
      },
    ],
  },
  {
    name: 'rolled-back',
    numbers: [5],
    fault: 'a fifth of the commands rolled back after they have published',
    count: 30,
    broker: true,
    processes: { api: 2, consumer: 1, relay: 1 },
    doomed: 0.2,
    canaries: [
      {
        without: ['rollback'],
        count: 5,
        shows: 'effects of commands that have failed',
        seen: ({ ghosts }) => ghosts > 0,
      },
    ],
  },
  {
    name: 'burnt-numbers',
    numbers: [5, 9],
    fault: 'nine of ten commands rolled back, and who stamps and reads killed in between',
    count: 300,
    broker: true,
    processes: { api: 4, consumer: 1, relay: 1 },
    doomed: 0.9,
    operations: 30,
    crash: { relay: { points: ['relay.claimed'], within: 4 }, consumer: { points: ['projection.saved'], within: 30 } },
    thorough: true,
    canaries: [
      {
        without: ['guard-by-seq'],
        count: 150,
        crash: { consumer: { points: ['projection.saved'], within: 8 } },
        shows: 'events that were counted again',
        seen: ({ wrongRows }) => wrongRows > 0,
      },
    ],
  },
  {
    name: 'rolling',
    numbers: [30],
    fault: 'every process asked to leave under load, one after the other',
    count: 9,
    broker: true,
    partitions: 2,
    processes: { api: 2, consumer: 2, relay: 2 },
    rolling: ['consumer', 'relay', 'api'],
    operations: 200,
    expects: [
      { says: 'they leave long before they would be killed', holds: ({ slowestLeave }) => slowestLeave < 5_000 },
      {
        says: 'no more is delivered again than was on its way',
        holds: ({ redelivered, inHand }) => redelivered <= inHand,
      },
    ],
    canaries: [
      {
        without: ['lane-order'],
        count: 3,
        shows: 'messages of one key side by side',
        seen: ({ outOfOrder }) => outOfOrder > 0,
      },
    ],
  },
]
