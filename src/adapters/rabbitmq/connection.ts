import type { ChannelModel, SocketOptions } from 'amqplib'
import type { ObverseError, Runtime } from 'obverse'
import type { Address } from './address.ts'
import { driver } from './driver.ts'
import { brokerError } from './failure.ts'
import { type Dialled, type Line, Link, type LinkOptions } from './link.ts'
import type { Settings } from './options.ts'
import { endsWithin } from './time-limit.ts'
import { writeTogether } from './together.ts'

/** Milliseconds a server gets to say goodbye. */
const GOODBYE = 1_000

export interface ConnectionOptions {
  readonly address: Address
  readonly settings: Settings
  readonly runtime: Runtime
  /** `publishing` or `consuming`: a server that blocks publishers stops reading from their connections, acknowledgements included. */
  readonly purpose: string
  readonly onState: NonNullable<LinkOptions<ChannelModel>['onState']>
}

/** A connection to the server that is made again whenever it is lost. */
export function connectionLink(options: ConnectionOptions): Link<ChannelModel> {
  const { runtime, purpose, onState } = options
  return new Link({
    name: `${purpose} connection to RabbitMQ at ${options.address.text}`,
    runtime,
    dial: (line, signal) => dial(options, line, signal),
    onState,
  })
}

async function dial(options: ConnectionOptions, line: Line, abandoned: AbortSignal): Promise<Dialled<ChannelModel>> {
  const { address, settings, runtime, purpose } = options
  const { connect } = await driver()
  const socket = new AbortController()
  abandoned.addEventListener('abort', () => opened || socket.abort(), { once: true })
  let opened = false
  const socketOptions: SocketOptions & { readonly signal: AbortSignal } = {
    ...settings.tls,
    // without it every delivery waits for the server's delayed acknowledgement of the last one: 40 ms each
    noDelay: true,
    keepAlive: true,
    timeout: settings.connectTimeout,
    signal: socket.signal,
    clientProperties: { connection_name: `${settings.name} ${purpose}`, product: 'obverse' },
  }
  const failure = (error: unknown, doing: string): ObverseError => brokerError(error, address, doing)
  let model: ChannelModel
  try {
    model = await connect(address.url, socketOptions)
  } catch (error) {
    socket.abort()
    throw failure(error, 'connect')
  }
  opened = true
  writeTogether(model)
  let cause: unknown
  const gone = Promise.withResolvers<void>()
  model.on('error', (error) => {
    cause = error
  })
  // a listener of ours threw: what it should have done is not done, so start anew
  model.on('handler-error', (error) => {
    cause = error
    void end()
  })
  model.on('blocked', (reason) => line.blocked(reason))
  model.on('unblocked', () => line.unblocked())
  model.on('close', (error?: Error) => {
    gone.resolve()
    // a server that is frozen or cut off never answers to the end of the stream
    socket.abort()
    line.lost(failure(error ?? cause ?? new Error('closed'), 'stay connected'))
  })
  const end = async () => {
    void model.close().catch(() => {})
    await endsWithin(GOODBYE, gone.promise, runtime)
    socket.abort()
  }
  return { value: model, close: end }
}
