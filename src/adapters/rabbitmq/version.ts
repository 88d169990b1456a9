/** A version of RabbitMQ as its server says it when a connection opens: `4.0.5`. */
export interface Version {
  readonly text: string
  readonly major: number
  readonly minor: number
}

/** How servers from one version on behave, where it matters here. A later entry replaces what it names. */
export interface Behaviour {
  /** Of quorum queues without `x-delivery-limit`; undefined: none. */
  readonly defaultDeliveryLimit: number | undefined
  /** Whether -1 as `x-delivery-limit` means none. Where it does not, it means 0: the first redelivery is the end of a message. */
  readonly deliveryLimitCanBeOff: boolean
  /**
   * Where a longer time for an acknowledgement can be asked for: `server` in its configuration only, `queue` as an argument that is
   * neither compared nor changed later, `consumer` with each subscription.
   */
  readonly acknowledgementTimeoutBy: 'server' | 'queue' | 'consumer'
  /** Whether classic queues know such a time, and arguments for it. */
  readonly acknowledgementTimeoutOfClassic: boolean
  /** Milliseconds, unless configured otherwise. */
  readonly acknowledgementTimeout: number
  /** Whether quorum queues can give messages up without losing them on the way (`at-least-once`). */
  readonly givesUpAtLeastOnce: boolean
}

interface Rule {
  readonly from: readonly [major: number, minor: number]
  readonly behaviour: Partial<Behaviour>
  /** Where it is known from. */
  readonly source: string
}

const MINUTE = 60_000

/** Oldest first; the first is complete. */
export const RULES: readonly Rule[] = [
  {
    from: [0, 0],
    behaviour: {
      defaultDeliveryLimit: undefined,
      deliveryLimitCanBeOff: false,
      acknowledgementTimeoutBy: 'server',
      acknowledgementTimeoutOfClassic: true,
      acknowledgementTimeout: 30 * MINUTE,
      givesUpAtLeastOnce: false,
    },
    source:
      'seen on 3.10.8: no limit without the argument, x-delivery-limit -1 lost a message with its second delivery, x-consumer-timeout was ' +
      'accepted without effect; 30 minutes since 3.8.17: rabbitmq-server pull request 3033',
  },
  {
    from: [3, 10],
    behaviour: { givesUpAtLeastOnce: true },
    source: 'rabbitmq.com/docs/quorum-queues#dead-lettering; seen on 3.10.8',
  },
  {
    from: [3, 12],
    behaviour: { acknowledgementTimeoutBy: 'queue' },
    source:
      'rabbitmq.com/docs/consumers#per-queue-delivery-timeouts-using-optional-queue-arguments; per consumer it was taken out again: ' +
      'rabbitmq-server pull request 8260; seen on 4.0.5: effective, and not compared when the queue is declared again',
  },
  {
    from: [4, 0],
    behaviour: { defaultDeliveryLimit: 20, deliveryLimitCanBeOff: true },
    source:
      'rabbitmq.com/docs/quorum-queues#poison-message-handling; seen on 4.0.5: gone after 21 deliveries without the argument, there after 30 ' +
      'with -1',
  },
  {
    from: [4, 3],
    behaviour: { acknowledgementTimeoutBy: 'consumer', acknowledgementTimeoutOfClassic: false },
    source:
      'rabbitmq.com/docs/4.3/quorum-queues#consumer-timeout; seen on 4.3.6: the consumer argument prevails over the queue argument, the ' +
      'server cancels the consumer, and classic queues refuse both arguments',
  },
]

/** The oldest that everything here was tried with. */
export const OLDEST = '3.10'

export function versionOf(text: string | undefined): Version {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(text ?? '') ?? []
  return { text: text ?? 'of unknown version', major: Number(major), minor: Number(minor) }
}

export function isAtLeast({ major, minor }: Version, [atMajor, atMinor]: readonly [number, number]): boolean {
  return major > atMajor || (major === atMajor && minor >= atMinor)
}

export function behaviourOf(version: Version): Behaviour {
  const rules = RULES.filter(({ from }) => isAtLeast(version, from))
  return Object.assign({}, ...rules.map(({ behaviour }) => behaviour))
}

/** What a server waits longer than a handler's time, for looks that come once a minute and for messages that wait for their turn. */
const MARGIN = 5 * MINUTE

/** Milliseconds a server has to be asked to wait for an acknowledgement; undefined: what it waits by itself is enough. */
export function timeoutToAskFor(
  timeout: number | undefined,
  { acknowledgementTimeout }: Behaviour,
): number | undefined {
  if (timeout === undefined || timeout + MARGIN <= acknowledgementTimeout) return undefined
  return timeout + MARGIN
}
