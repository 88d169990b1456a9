import { createHash } from 'node:crypto'
import type { ChannelModel, ConfirmChannel, Message, Options } from 'amqplib'
import { bytesOfBody, ObverseError, type Published, type PublishOutcome, type Runtime } from 'obverse'
import type { Address } from './address.ts'
import { closeChannel } from './amqp-channel.ts'
import { Batch } from './batch.ts'
import { brokerError } from './failure.ts'
import type { Link } from './link.ts'
import type { Settings } from './options.ts'
import { partitionOf, routingKey } from './partition.ts'
import { endsWithin } from './time-limit.ts'
import type { Topology } from './topology.ts'

export interface PublisherOptions {
  readonly connection: Link<ChannelModel>
  /** On that connection, in confirm mode. */
  readonly channel: Link<ConfirmChannel>
  readonly topology: Topology
  readonly settings: Settings
  readonly address: Address
  readonly runtime: Runtime
}

/** Bytes of bodies that are on their way at once; beyond it they wait for confirmations. */
const WINDOW = 16 * 1024 * 1024

/** A message that was written and has no outcome yet. */
interface Sent {
  readonly batch: Batch
  readonly place: number
  readonly route: string
  readonly bytes: number
  /** What the server said when it gave the message back; the confirmation that follows means nothing then. */
  returned: string | undefined
}

/**
 * Publishes batches on one AMQP channel: persistent, mandatory, confirmed. A batch is written at once, and confirmations come as they come.
 * What has none when the AMQP channel is lost, or in time, is an outage: the caller publishes it again under the same id.
 */
export class Publisher {
  readonly #options: PublisherOptions
  /** Of which something is still to be written. */
  readonly #writing: Batch[] = []
  readonly #unfinished = new Set<Batch>()
  readonly #sent = new Set<Sent>()
  #bytes = 0
  /** The driver's buffer is full; `drain` tells when it is not. */
  #full = false
  #turn = 0
  #closed = false
  #cancelBlocked: () => void = () => {}
  #onIdle: () => void = () => {}

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  /** As `Broker.publish`. */
  async publish(messages: readonly Published[]): Promise<readonly PublishOutcome[]> {
    const { topology, channel, runtime, settings } = this.#options
    this.#assertOpen()
    if (messages.length === 0) return []
    const names = new Set(messages.map((message) => message.channel))
    const mistakes = topology.isReady(names) ? undefined : await topology.ensure(names)
    const amqp = channel.value ?? (await channel.get())
    this.#assertOpen()
    const batch = new Batch(messages)
    this.#unfinished.add(batch)
    for (const [place, message] of messages.entries()) {
      const mistake = mistakes?.get(message.channel)
      if (mistake) batch.settle(place, mistake.message)
    }
    const cancel = runtime.after(settings.confirmTimeout, () => this.#late(batch, amqp))
    this.#writing.push(batch)
    this.#write(amqp)
    try {
      return await batch.result
    } finally {
      cancel()
      this.#unfinished.delete(batch)
      if (this.#unfinished.size === 0) this.#onIdle()
    }
  }

  /** Listens to an AMQP channel that has just been opened. */
  attach(amqp: ConfirmChannel): void {
    this.#full = false
    amqp.on('return', (message) => this.#onReturn(message))
    amqp.on('drain', () => {
      this.#full = false
      this.#write(amqp)
    })
  }

  /** The AMQP channel is gone: nothing is known of what was on it. */
  lost(error: ObverseError): void {
    this.#cancelBlocked()
    this.#failAll(error)
  }

  /** The server does not read any more. What is on its way may still arrive, when it goes on. */
  blocked(): void {
    const { runtime, settings } = this.#options
    this.#cancelBlocked()
    this.#cancelBlocked = runtime.after(settings.blockedTimeout, () => this.#failAll(this.#blockedError()))
  }

  unblocked(): void {
    this.#cancelBlocked()
  }

  /** Takes nothing more, and waits for what is outstanding, up to the limit. */
  async close(): Promise<void> {
    const { runtime, settings, connection, address } = this.#options
    this.#closed = true
    if (this.#unfinished.size > 0 && connection.state !== 'blocked') {
      const idle = new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
      await endsWithin(settings.closeTimeout, idle, runtime)
    }
    this.#cancelBlocked()
    this.#failAll(
      new ObverseError(
        'BROKER_CLOSED',
        `RabbitMQ at ${address.text} had not confirmed it when its connection was closed`,
      ),
    )
  }

  #write(amqp: ConfirmChannel): void {
    for (let batch = this.#writing[0]; batch; batch = this.#writing[0]) {
      while (batch.next < batch.messages.length && !batch.over) {
        if (this.#full || this.#bytes >= WINDOW) return
        const place = batch.next
        batch.next += 1
        if (!batch.isSettled(place)) this.#send(amqp, batch, place, batch.messages[place] as Published)
      }
      this.#writing.shift()
    }
  }

  #send(amqp: ConfirmChannel, batch: Batch, place: number, { messageId, channel, key, body }: Published): void {
    const { settings, address } = this.#options
    const content = bytesOfBody(body)
    const sent: Sent = { batch, place, route: this.#route(channel, key), bytes: content.length, returned: undefined }
    const options: Options.Publish = {
      persistent: true,
      mandatory: true,
      messageId: propertyOf(messageId),
      contentType: 'application/json',
    }
    this.#sent.add(sent)
    this.#bytes += content.length
    try {
      this.#full = !amqp.publish(settings.exchange, sent.route, content, options, (error) =>
        this.#onConfirm(amqp, sent, error),
      )
    } catch (error) {
      // it was closed a moment ago, and will be opened again
      this.#forget(sent)
      batch.fail(brokerError(error, address, 'publish'))
    }
  }

  #route(channel: string, key: string | null): string {
    const { partitions = 1 } = this.#options.topology.find(channel) ?? {}
    if (partitions === 1) return routingKey(channel, 1, 0)
    if (key !== null) return routingKey(channel, partitions, partitionOf(key, partitions))
    this.#turn += 1
    return routingKey(channel, partitions, this.#turn % partitions)
  }

  /** Comes before the confirmation of the same message. Rare, so it may be looked for. */
  #onReturn({ fields, properties }: Message): void {
    for (const sent of this.#sent) {
      if (sent.returned !== undefined || sent.route !== fields.routingKey) continue
      const { messageId, channel } = sent.batch.messages[sent.place] as Published
      if (propertyOf(messageId) !== properties.messageId) continue
      sent.returned = `RabbitMQ has no queue for the channel ${channel} (${(fields as { replyText?: string }).replyText})`
      this.#options.topology.doubt(channel)
      return
    }
  }

  /** `error`: refused by the server, or the end of the AMQP channel, of which `lost` tells too. */
  #onConfirm(amqp: ConfirmChannel, sent: Sent, error: Error | null): void {
    if (!this.#forget(sent) || error?.message === 'channel closed') return
    const refused = error === null ? undefined : 'RabbitMQ refused it: its queue is full, or could not keep it'
    sent.batch.settle(sent.place, sent.returned ?? refused)
    if (this.#writing.length > 0) this.#write(amqp)
  }

  /** Whoever waits for so long waits in vain: a queue without a majority of its nodes never confirms. */
  #late(batch: Batch, amqp: ConfirmChannel): void {
    const { runtime, settings, address } = this.#options
    const { left, messages } = batch
    batch.fail(
      new ObverseError(
        'BROKER_UNREACHABLE',
        `RabbitMQ at ${address.text} has not confirmed ${left} of ${messages.length} messages within ${settings.confirmTimeout} ms`,
      ),
    )
    void closeChannel(amqp, runtime)
  }

  #failAll(error: ObverseError): void {
    for (const batch of this.#unfinished) batch.fail(error)
    this.#sent.clear()
    this.#writing.length = 0
    this.#bytes = 0
    this.#full = false
  }

  #forget(sent: Sent): boolean {
    if (!this.#sent.delete(sent)) return false
    this.#bytes -= sent.bytes
    return true
  }

  #assertOpen(): void {
    if (this.#closed)
      throw new ObverseError(
        'BROKER_CLOSED',
        `The connection to RabbitMQ at ${this.#options.address.text} has been closed`,
      )
    if (this.#options.connection.state === 'blocked') throw this.#blockedError()
  }

  #blockedError(): ObverseError {
    const { address, connection } = this.#options
    return new ObverseError(
      'BROKER_BLOCKED',
      `RabbitMQ at ${address.text} takes no messages (${connection.blockedBy ?? 'an alarm'}); give it memory or disk`,
    )
  }
}

/** A property has room for 255 bytes. Who takes the message finds its id in the body. */
function propertyOf(messageId: string): string {
  return Buffer.byteLength(messageId) <= 255 ? messageId : createHash('sha256').update(messageId).digest('hex')
}
