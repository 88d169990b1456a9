import type { ConnectionOptions } from 'node:tls'
import { knownOptions, ObverseError } from 'obverse'

export interface RabbitOptions {
  /**
   * `quorum` (default): replicated, kept on disk by a majority of the nodes. `classic`: on one node, durable; what the server gives up
   * from it reaches the queue of failed messages at most once.
   */
  readonly queues?: 'quorum' | 'classic'
  /** Through which everything is published: direct, durable. Default `obverse`. */
  readonly exchange?: string
  /** Queue in which the server puts what it gives up. Default `failed_messages`. */
  readonly failed?: string
  /**
   * Deliveries after which the server gives a message up, quorum queues only. Default: none, because messages that were merely delivered
   * together with one that ends its process are counted too; attempts are counted by the store instead. Changed only with a new queue.
   */
  readonly deliveryLimit?: number
  /** Whole seconds, in milliseconds, after which an idle side gives a sign of life; a silent one is lost after two to three. Default 10,000. */
  readonly heartbeat?: number
  /** Milliseconds in which the server must greet. Default 5,000. */
  readonly connectTimeout?: number
  /** Milliseconds after which a message that was not confirmed counts as not sent, and a queue that does not let itself be consumed as away. Default 30,000. */
  readonly confirmTimeout?: number
  /** Milliseconds for which what is on its way waits while an alarm of the server blocks publishers. Default 5,000. */
  readonly blockedTimeout?: number
  /** Milliseconds for which `close` waits for outstanding confirmations. Default 5,000. */
  readonly closeTimeout?: number
  /** What operators see as the name of the connections, before their purpose. Default `obverse`. */
  readonly name?: string
  /**
   * Address of the management plugin, which alone knows what other processes have taken and which alarms there are. Default: port 15672 of
   * the same host where the server is on its usual port, or none. `false`: none.
   */
  readonly management?: string | false
  /** For `amqps:`, as `tls.connect` takes them. */
  readonly tls?: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized'>
}

export interface Settings extends Required<Omit<RabbitOptions, 'deliveryLimit' | 'management' | 'tls'>> {
  readonly deliveryLimit: number | undefined
  readonly management: string | false | undefined
  readonly tls: NonNullable<RabbitOptions['tls']>
  /** How processes come to share the partitions of a channel. */
  readonly spread: {
    /** Milliseconds between two looks, at least; half as much again at most. */
    readonly every: number
    /** Milliseconds for which a partition that is to be left waits for its open messages. */
    readonly patience: number
  }
}

const SPREAD: Settings['spread'] = { every: 3_000, patience: 10_000 }

const NAMES = ['queues', 'exchange', 'failed', 'deliveryLimit', 'heartbeat', 'connectTimeout', 'confirmTimeout'].concat(
  ['blockedTimeout', 'closeTimeout', 'name', 'management', 'tls'],
)

/** @throws {ObverseError} `CONFIGURATION_INVALID` naming the option */
export function settings(options: RabbitOptions): Settings {
  knownOptions('rabbitmq()', options, NAMES)
  const {
    queues = 'quorum',
    exchange = 'obverse',
    failed = 'failed_messages',
    name = 'obverse',
    deliveryLimit,
  } = options
  const { heartbeat = 10_000, connectTimeout = 5_000, confirmTimeout = 30_000 } = options
  const { blockedTimeout = 5_000, closeTimeout = 5_000, management, tls = {} } = options
  if (queues !== 'quorum' && queues !== 'classic') {
    throw invalid(`queues is ${JSON.stringify(queues)}; give 'quorum' or 'classic'`)
  }
  for (const [option, value] of Object.entries({ exchange, failed })) {
    if (typeof value !== 'string' || !/^[\w.-]{1,100}$/.test(value) || value.startsWith('amq.')) {
      throw invalid(`${option} is ${JSON.stringify(value)}; give 1 to 100 letters, digits, dots, dashes or underscores`)
    }
  }
  for (const [option, value] of Object.entries({ connectTimeout, confirmTimeout, blockedTimeout, closeTimeout })) {
    if (!Number.isFinite(value) || value < 1) throw invalid(`${option} is ${value}; give milliseconds from 1`)
  }
  if (!Number.isInteger(heartbeat / 1_000) || heartbeat < 1_000) {
    throw invalid(`heartbeat is ${heartbeat}; give whole seconds in milliseconds, from 1000`)
  }
  if (deliveryLimit !== undefined && (!Number.isInteger(deliveryLimit) || deliveryLimit < 1)) {
    throw invalid(`deliveryLimit is ${deliveryLimit}; give a whole number from 1, or leave it out for none`)
  }
  if (deliveryLimit !== undefined && queues === 'classic') {
    throw invalid('deliveryLimit is for quorum queues; classic ones have none')
  }
  const times = { heartbeat, connectTimeout, confirmTimeout, blockedTimeout, closeTimeout }
  return { queues, exchange, failed, name, deliveryLimit, management, tls, spread: SPREAD, ...times }
}

function invalid(message: string): ObverseError {
  return new ObverseError('CONFIGURATION_INVALID', message)
}
