import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib'
import type { Runtime } from 'obverse'
import { endsWithin } from './time-limit.ts'

/** Milliseconds a server gets to answer that an AMQP channel is closed. */
const GOODBYE = 1_000
const gone = new WeakSet<Channel>()

/**
 * Opens an AMQP channel whose errors end nothing but itself.
 *
 * @param onLost called once when it has ended, whoever ended it; with the error of the server if that did
 */
export async function openChannel(model: ChannelModel, onLost?: (error: unknown) => void): Promise<Channel>
export async function openChannel(
  model: ChannelModel,
  onLost: (error: unknown) => void,
  confirms: true,
): Promise<ConfirmChannel>
export async function openChannel(
  model: ChannelModel,
  onLost: (error: unknown) => void = () => {},
  confirms = false,
): Promise<Channel | ConfirmChannel> {
  const channel = confirms ? await model.createConfirmChannel() : await model.createChannel()
  let cause: unknown
  channel.on('error', (error) => {
    cause = error
  })
  channel.on('handler-error', (error) => {
    cause = error
    close(channel)
  })
  channel.once('close', () => {
    gone.add(channel)
    onLost(cause ?? new Error('the AMQP channel was closed'))
  })
  return channel
}

/** Closes it at once: nothing more is delivered on it. Resolves when the server has answered, or cannot. Never rejects. */
export async function closeChannel(channel: Channel, runtime: Runtime): Promise<void> {
  if (gone.has(channel)) return
  const closed = new Promise<void>((resolve) => channel.once('close', () => resolve()))
  close(channel)
  await endsWithin(GOODBYE, closed, runtime)
}

/** Runs `work` on an AMQP channel of its own, because the server closes the channel of whoever asks for what is not there. */
export async function briefly<R>(model: ChannelModel, work: (channel: Channel) => Promise<R>): Promise<R> {
  const channel = await openChannel(model)
  try {
    return await work(channel)
  } finally {
    close(channel)
  }
}

/** The driver's promise of it stays open when the connection ends meanwhile, and says nothing that `close` does not. */
function close(channel: Channel): void {
  channel.close().catch(() => {})
}
