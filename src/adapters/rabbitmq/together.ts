import type { Duplex } from 'node:stream'
import type { ChannelModel } from 'amqplib'

/**
 * Sends what is written in one turn of the event loop in one call of the system. The driver makes a call, and a packet, of
 * every message and of every acknowledgement: for both sides that costs more than the rest of the work.
 */
export function writeTogether(model: ChannelModel): void {
  const { stream } = model.connection as unknown as { readonly stream?: Duplex }
  if (!stream?.cork) return
  const write = stream.write
  let gathering = false
  stream.write = (...args: unknown[]): boolean => {
    if (!gathering) {
      gathering = true
      stream.cork()
      process.nextTick(() => {
        gathering = false
        stream.uncork()
      })
    }
    return Reflect.apply(write, stream, args)
  }
}
