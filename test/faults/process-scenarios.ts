import { TOO_MANY } from './conductors.ts'
import type { Scenario } from './scenario.ts'

const CONSUMED = ['handler.after', 'commit.before', 'projection.saved'] as const

/**
 * Every way in which a process of an application can end at the wrong moment. What a kill cannot show is that a commit
 * waits for the disk: a killed process has handed its commits to the system, and only a power cut takes them. So that
 * promise has no canary here.
 */
export const processScenarios: readonly Scenario[] = [
  {
    name: 'api-after-commit',
    fault: 'API killed after its commit, before it answers',
    count: 25,
    processes: { api: 1, consumer: 1 },
    crash: { api: { points: ['commit.after'], within: 12 } },
    canaries: [
      {
        without: ['one-commit'],
        count: 4,
        shows: 'events whose messages were never sent',
        seen: ({ lost }) => lost > 0,
      },
      {
        without: ['idempotency-claim'],
        count: 4,
        shows: 'commands that were repeated',
        seen: ({ appliedTwice }) => appliedTwice > 0,
      },
    ],
  },
  {
    name: 'api-before-commit',
    fault: 'API killed before its commit',
    count: 20,
    processes: { api: 1, consumer: 1 },
    crash: { api: { points: ['commit.before', 'handler.after'], within: 16 } },
  },
  {
    name: 'consumer-before-commit',
    fault: 'consumer killed between its handler and the commit',
    count: 30,
    processes: { api: 1, consumer: 1 },
    crash: { consumer: { points: ['handler.after', 'commit.before'], following: 'handler.after', within: 30 } },
    canaries: [
      {
        without: ['lane-order'],
        count: 0,
        shows: 'messages of one key side by side',
        seen: ({ outOfOrder }) => outOfOrder > 0,
      },
      {
        without: ['held-lane'],
        count: 0,
        shows: 'messages that overtake one that waits for its retry',
        seen: ({ outOfOrder }) => outOfOrder > 0,
      },
    ],
  },
  {
    name: 'consumer-before-ack',
    fault: 'consumer killed between its commit and the acknowledgement',
    count: 30,
    processes: { api: 1, consumer: 1 },
    crash: { consumer: { points: ['commit.after'], following: 'handler.after', within: 20 } },
    canaries: [
      {
        without: ['inbox'],
        count: 5,
        shows: 'messages that were handled again',
        seen: ({ appliedTwice }) => appliedTwice > 0,
      },
      {
        without: ['guard-by-seq'],
        count: 4,
        crash: { consumer: { points: ['projection.saved'], within: 8 } },
        shows: 'events that were counted again',
        seen: ({ wrongRows }) => wrongRows > 0,
      },
    ],
  },
  {
    name: 'consumer-before-ack-broker',
    fault: 'consumer of a broker apart killed before the acknowledgement',
    count: 25,
    broker: true,
    processes: { api: 1, consumer: 1, relay: 1 },
    crash: { consumer: { points: ['ack.before', 'ack.after', 'projection.saved'], within: 30 } },
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
    name: 'relay-before-delete',
    fault: 'relay killed after it published',
    count: 30,
    broker: true,
    processes: { api: 1, consumer: 1, relay: 1 },
    crash: { relay: { points: ['relay.published', 'relay.claimed', 'relay.done', 'commit.after'], within: 14 } },
    canaries: [
      {
        without: ['confirm-first'],
        count: 5,
        crash: { relay: { points: ['relay.done'], within: 6 } },
        shows: 'messages that no broker ever had',
        seen: ({ lost }) => lost > 0,
      },
    ],
  },
  {
    name: 'consumers-in-turn',
    fault: 'two consumers killed in turn',
    count: 30,
    processes: { api: 1, consumer: 2 },
    crash: { consumer: { points: [...CONSUMED, 'commit.after'], within: 60 } },
  },
  {
    name: 'poison',
    fault: 'a message that ends its process',
    count: 0,
    poison: true,
    processes: { api: 1, consumer: 1 },
    canaries: [
      {
        without: ['attempt-first'],
        count: 0,
        shows: 'restarts without end',
        seen: ({ poisoned, dead }) => poisoned >= TOO_MANY && dead === 0,
      },
      {
        without: ['parking'],
        count: 0,
        shows: 'messages that overtake a dead letter of their key',
        seen: ({ parking }) => (parking?.overtook ?? 0) > 0,
      },
    ],
  },
  {
    name: 'consumer-zombie',
    fault: 'consumer stopped beyond its lease and continued',
    count: 5,
    processes: { api: 1, consumer: 2 },
    crash: { consumer: { points: ['handler.before'], within: 40, stop: true } },
    canaries: [
      {
        without: ['inbox', 'settlement-fence'],
        count: 3,
        shows: 'a message handled by the one that was taken for dead and by its successor',
        seen: ({ appliedTwiceAlone }) => appliedTwiceAlone > 0,
      },
      {
        without: ['inbox'],
        count: 3,
        shows: 'that the fence alone would do, where the transaction of a handler settles its message',
        seen: ({ appliedTwiceAlone, fenced }) => appliedTwiceAlone === 0 && fenced > 0,
      },
    ],
  },
  {
    name: 'consumer-zombie-broker',
    fault: 'consumer of a broker apart stopped beyond its lease and continued',
    count: 5,
    broker: true,
    processes: { api: 1, consumer: 2, relay: 1 },
    crash: { consumer: { points: ['handler.before'], within: 40, stop: true } },
    canaries: [
      {
        without: ['inbox'],
        count: 3,
        shows: 'a message handled by the one that was taken for dead and by its successor',
        seen: ({ appliedTwice }) => appliedTwice > 0,
      },
    ],
  },
  {
    name: 'relay-zombie',
    fault: 'relay stopped beyond its lease and continued',
    count: 5,
    broker: true,
    processes: { api: 1, consumer: 1, relay: 2 },
    crash: { relay: { points: ['relay.claimed'], within: 12, stop: true } },
  },
  {
    name: 'anybody',
    fault: 'anybody killed at any time, queue in the store',
    count: 20,
    processes: { api: 1, consumer: 2 },
    chance: ['api', 'consumer'],
  },
  {
    name: 'anybody-broker',
    fault: 'anybody killed at any time, broker apart',
    count: 20,
    broker: true,
    processes: { api: 1, consumer: 2, relay: 2 },
    chance: ['api', 'consumer', 'relay'],
  },
  {
    name: 'consumer-before-commit-broker',
    fault: 'consumer of a broker apart killed between its handler and the commit',
    count: 5,
    broker: true,
    processes: { api: 1, consumer: 1, relay: 1 },
    crash: { consumer: { points: ['handler.after', 'commit.before'], following: 'handler.after', within: 30 } },
  },
  {
    name: 'partitions-in-turn',
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
    name: 'rolling',
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
