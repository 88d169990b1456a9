import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import {
  bodyOfBytes,
  type GivenUp,
  type ObverseError,
  outageDelay,
  type Runtime,
  type Subscription,
  sleep,
} from 'obverse'
import type { Address } from './address.ts'
import { closeChannel, openChannel } from './amqp-channel.ts'
import { brokerError } from './failure.ts'
import { type Dialled, type Line, Link } from './link.ts'
import type { Settings } from './options.ts'
import { channelOf } from './partition.ts'
import { endsWithin } from './time-limit.ts'
import type { Topology } from './topology.ts'

export interface GivenUpOptions {
  readonly connection: Link<ChannelModel>
  readonly topology: Topology
  readonly settings: Settings
  readonly address: Address
  readonly runtime: Runtime
  readonly take: (message: GivenUp) => Promise<void>
  readonly onClosed: (drain: GivenUpSubscription) => void
}

/** Few: they are rare, and each is a transaction of its own. */
const PREFETCH = 32
/** Milliseconds that what is being taken gets when it is closed. */
const LEAVE = 1_000

/** Takes messages out of the queue of failed messages, one after the other; one that nobody can keep now is tried again without end. */
export class GivenUpSubscription implements Subscription {
  readonly #options: GivenUpOptions
  readonly #link: Link<Channel>
  readonly #leaving = new AbortController()
  #resumed: PromiseWithResolvers<void> | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(options: GivenUpOptions) {
    this.#options = options
    this.#link = new Link({
      name: `subscription to ${options.settings.failed}`,
      runtime: options.runtime,
      dial: (line) => this.#dial(line),
    })
  }

  async start(): Promise<void> {
    await this.#link.get()
  }

  hurry(): void {
    this.#link.hurry()
  }

  pause(): void {
    this.#resumed ??= Promise.withResolvers()
  }

  resume(): void {
    this.#resumed?.resolve()
    this.#resumed = undefined
  }

  async close(): Promise<void> {
    this.#leaving.abort()
    this.resume()
    await endsWithin(LEAVE, this.#running, this.#options.runtime)
    await this.#link.close()
    this.#options.onClosed(this)
  }

  async #dial(line: Line): Promise<Dialled<Channel>> {
    const { connection, topology, settings, address, runtime } = this.#options
    const failure = (error: unknown): ObverseError =>
      brokerError(error, address, `consume the queue ${settings.failed}`)
    const model = await connection.get()
    await topology.base()
    const life = { live: true }
    try {
      const amqp = await openChannel(model, (error) => {
        life.live = false
        line.lost(failure(error))
      })
      const close = (): Promise<void> => {
        life.live = false
        return closeChannel(amqp, runtime)
      }
      await amqp.prefetch(PREFETCH)
      await amqp.consume(settings.failed, (message) => {
        if (message) this.#running = this.#running.then(() => this.#take(amqp, life, message))
        else {
          topology.doubt()
          void close()
        }
      })
      return { value: amqp, close }
    } catch (error) {
      throw failure(error)
    }
  }

  async #take(amqp: Channel, life: { readonly live: boolean }, message: ConsumeMessage): Promise<void> {
    const { runtime, topology, take } = this.#options
    const given = givenUp(message, topology.numbers)
    for (let tries = 1; life.live && !this.#leaving.signal.aborted; tries += 1) {
      await this.#resumed?.promise
      try {
        await take(given)
        if (life.live) amqp.ack(message)
        return
      } catch {
        await sleep(runtime, outageDelay(tries, runtime.random), this.#leaving.signal)
      }
    }
  }
}

function givenUp({ content, properties }: ConsumeMessage, known: ReadonlyMap<string, number>): GivenUp {
  const { 'x-first-death-queue': queue = '', 'x-first-death-reason': reason = 'unknown' } = properties.headers ?? {}
  return { channel: channelOf(queue, known), body: bodyOfBytes(content), reason }
}
