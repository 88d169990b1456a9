import { TOO_MANY } from './conductors.ts'
import type { Scenario } from './scenario.ts'

const CONSUMED = ['handler.after', 'commit.before', 'projection.saved'] as const

/**
 * Every way in which a process of an application on one SQLite file can end at the wrong moment. What a kill cannot
 * show is `synchronous = FULL`: a killed process has handed its commits to the system, and only a power cut takes them.
 * So that promise has no canary here.
 */
export const scenarios: readonly Scenario[] = [
  {
    name: 'API killed after its commit, before it answers',
    kills: 25,
    processes: { api: 1, consumer: 1 },
    crash: { api: { points: ['commit.after'], within: 12 } },
    canaries: [
      {
        without: ['one-commit'],
        kills: 4,
        shows: 'events whose messages were never sent',
        seen: ({ lost }) => lost > 0,
      },
      {
        without: ['idempotency-claim'],
        kills: 4,
        shows: 'commands that were repeated',
        seen: ({ appliedTwice }) => appliedTwice > 0,
      },
    ],
  },
  {
    name: 'API killed before its commit',
    kills: 20,
    processes: { api: 1, consumer: 1 },
    crash: { api: { points: ['commit.before', 'handler.after'], within: 16 } },
  },
  {
    name: 'consumer killed between its handler and the commit',
    kills: 30,
    processes: { api: 1, consumer: 1 },
    crash: { consumer: { points: ['handler.after', 'commit.before'], following: 'handler.after', within: 30 } },
    canaries: [
      {
        without: ['lane-order'],
        kills: 0,
        shows: 'messages of one key side by side',
        seen: ({ outOfOrder }) => outOfOrder > 0,
      },
      {
        without: ['held-lane'],
        kills: 0,
        shows: 'messages that overtake one that waits for its retry',
        seen: ({ outOfOrder }) => outOfOrder > 0,
      },
    ],
  },
  {
    name: 'consumer killed between its commit and the acknowledgement',
    kills: 30,
    processes: { api: 1, consumer: 1 },
    crash: { consumer: { points: ['commit.after'], following: 'handler.after', within: 20 } },
    canaries: [
      {
        without: ['inbox'],
        kills: 5,
        shows: 'messages that were handled again',
        seen: ({ appliedTwice }) => appliedTwice > 0,
      },
      {
        without: ['guard-by-seq'],
        kills: 4,
        crash: { consumer: { points: ['projection.saved'], within: 8 } },
        shows: 'events that were counted again',
        seen: ({ wrongRows }) => wrongRows > 0,
      },
    ],
  },
  {
    name: 'consumer of a broker apart killed before the acknowledgement',
    kills: 25,
    broker: true,
    processes: { api: 1, consumer: 1, relay: 1 },
    crash: { consumer: { points: ['ack.before', 'ack.after', 'projection.saved'], within: 30 } },
    canaries: [
      {
        without: ['inbox'],
        kills: 4,
        shows: 'messages that were handled again',
        seen: ({ appliedTwice }) => appliedTwice > 0,
      },
    ],
  },
  {
    name: 'relay killed after it published',
    kills: 30,
    broker: true,
    processes: { api: 1, consumer: 1, relay: 1 },
    crash: { relay: { points: ['relay.published', 'relay.claimed', 'relay.done', 'commit.after'], within: 14 } },
    canaries: [
      {
        without: ['confirm-first'],
        kills: 5,
        crash: { relay: { points: ['commit.after'], within: 6 } },
        shows: 'messages that no broker ever had',
        seen: ({ lost }) => lost > 0,
      },
    ],
  },
  {
    name: 'two consumers killed in turn',
    kills: 30,
    processes: { api: 1, consumer: 2 },
    crash: { consumer: { points: [...CONSUMED, 'commit.after'], within: 60 } },
  },
  {
    name: 'a message that ends its process',
    kills: 0,
    poison: true,
    processes: { api: 1, consumer: 1 },
    canaries: [
      {
        without: ['attempt-first'],
        kills: 0,
        shows: 'restarts without end',
        seen: ({ poisoned, dead }) => poisoned >= TOO_MANY && dead === 0,
      },
      {
        without: ['parking'],
        kills: 0,
        shows: 'messages that overtake a dead letter of their key',
        seen: ({ parking }) => (parking?.overtook ?? 0) > 0,
      },
    ],
  },
  {
    name: 'consumer stopped beyond its lease and continued',
    kills: 5,
    processes: { api: 1, consumer: 2 },
    crash: { consumer: { points: ['handler.before'], within: 40, stop: true } },
    canaries: [
      {
        without: ['inbox', 'settlement-fence'],
        kills: 3,
        shows: 'a message handled by the one that was taken for dead and by its successor',
        seen: ({ appliedTwiceAlone }) => appliedTwiceAlone > 0,
      },
      {
        without: ['inbox'],
        kills: 3,
        shows: 'that the fence alone would do, where the transaction of a handler settles its message',
        seen: ({ appliedTwiceAlone, fenced }) => appliedTwiceAlone === 0 && fenced > 0,
      },
    ],
  },
  {
    name: 'consumer of a broker apart stopped beyond its lease and continued',
    kills: 5,
    broker: true,
    processes: { api: 1, consumer: 2, relay: 1 },
    crash: { consumer: { points: ['handler.before'], within: 40, stop: true } },
    canaries: [
      {
        without: ['inbox'],
        kills: 3,
        shows: 'a message handled by the one that was taken for dead and by its successor',
        seen: ({ appliedTwice }) => appliedTwice > 0,
      },
    ],
  },
  {
    name: 'relay stopped beyond its lease and continued',
    kills: 5,
    broker: true,
    processes: { api: 1, consumer: 1, relay: 2 },
    crash: { relay: { points: ['relay.claimed'], within: 12, stop: true } },
  },
  {
    name: 'anybody killed at any time, queue in the store',
    kills: 20,
    processes: { api: 1, consumer: 2 },
    chance: ['api', 'consumer'],
  },
  {
    name: 'anybody killed at any time, broker apart',
    kills: 20,
    broker: true,
    processes: { api: 1, consumer: 2, relay: 2 },
    chance: ['api', 'consumer', 'relay'],
  },
]
