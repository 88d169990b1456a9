import type { Broker, Runtime } from 'obverse'
import { addressOf } from './address.ts'
import { RabbitBroker } from './broker.ts'
import { type RabbitOptions, settings } from './options.ts'

export type { RabbitOptions } from './options.ts'

/**
 * RabbitMQ as the broker: messages in durable queues, quorum queues unless asked otherwise, each channel in a queue of its name, or in as many
 * as it has partitions. What is published is persistent, confirmed and mandatory; what is lost on the way is published again under its id.
 *
 * Nothing is asked of the server until it is needed, and the server may be down then: what is declared is remembered, connections and AMQP
 * channels are made again whenever they are lost, and no message is given up because of it.
 *
 * @param url as `amqp://user:password@host:port/vhost`, or `amqps:`
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` for a bad URL or option
 *
 * @example
 * const app = createApp({ handlers, store: sqlite('data/orders.db'), broker: rabbitmq('amqp://localhost') })
 */
export function rabbitmq(
  url: string,
  options: RabbitOptions = {},
): (environment: { readonly runtime: Runtime }) => Promise<Broker> {
  const checked = settings(options)
  const address = addressOf(url, checked)
  return async ({ runtime }) => new RabbitBroker(address, checked, runtime)
}
