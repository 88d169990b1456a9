import type { Channel, ChannelModel } from 'amqplib'
import type { Runtime } from 'obverse'
import { closeChannel, openChannel } from './amqp-channel.ts'
import { isForbidden } from './declare.ts'
import { saidBy } from './failure.ts'
import type { Link } from './link.ts'

export interface MembersOptions {
  readonly connection: Link<ChannelModel>
  readonly runtime: Runtime
  /** Goes away with the last of them. */
  readonly queue: string
}

/**
 * Counts the subscriptions to a channel, of all processes. An ordered quorum queue tells of its active consumer only, so each subscription
 * also consumes a queue to which nobody publishes, on an AMQP channel of its own, and that one tells of all.
 */
export class Members {
  readonly #options: MembersOptions
  #amqp: Channel | undefined
  #refused = false
  #closed = false

  constructor(options: MembersOptions) {
    this.#options = options
  }

  /** With this one, which joins if it has not. Undefined: not known now. Never rejects. */
  async count(): Promise<number | undefined> {
    if (this.#refused || this.#closed) return undefined
    try {
      const amqp = this.#amqp ?? (await this.#join())
      const { consumerCount } = await amqp.checkQueue(this.#options.queue)
      return consumerCount
    } catch (error) {
      // asked again, it would say the same
      this.#refused = isForbidden(error) || saidBy(error).code === 406
      if (this.#amqp) void closeChannel(this.#amqp, this.#options.runtime)
      this.#amqp = undefined
      return undefined
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#amqp) await closeChannel(this.#amqp, this.#options.runtime)
  }

  async #join(): Promise<Channel> {
    const { connection, runtime, queue } = this.#options
    const amqp = await openChannel(await connection.get())
    try {
      await amqp.assertQueue(queue, { durable: true, autoDelete: true, arguments: { 'x-queue-type': 'classic' } })
      // null: somebody has deleted it
      await amqp.consume(queue, (message) => message ?? void closeChannel(amqp, runtime), { noAck: true })
    } catch (error) {
      void closeChannel(amqp, runtime)
      throw error
    }
    if (this.#closed) void closeChannel(amqp, runtime)
    else this.#amqp = amqp
    return amqp
  }
}
