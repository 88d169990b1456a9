import { TOO_MANY } from './conductors.ts'
import type { Scenario } from './scenario.ts'

/**
 * Every way in which a process of an application can end at the wrong moment. What a kill cannot show is that a commit
 * waits for the disk: a killed process has handed its commits to the system, and only a power cut takes them. So that
 * promise has no canary here.
 */
export const processScenarios: readonly Scenario[] = [
  {
    name: 'api-after-commit',
    numbers: [],
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
    numbers: [],
    fault: 'API killed before its commit',
    count: 20,
    processes: { api: 1, consumer: 1 },
    crash: { api: { points: ['commit.before', 'handler.after'], within: 16 } },
  },
  {
    name: 'consumer-before-commit',
    numbers: [2],
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
    numbers: [1],
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
    numbers: [1, 27],
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
    numbers: [3],
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
    name: 'poison',
    numbers: [22],
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
    numbers: [21, 25],
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
    numbers: [21, 25],
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
    numbers: [25],
    fault: 'relay stopped beyond its lease and continued',
    count: 5,
    broker: true,
    processes: { api: 1, consumer: 1, relay: 2 },
    crash: { relay: { points: ['relay.claimed'], within: 12, stop: true } },
  },
]
