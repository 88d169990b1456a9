import { crc32 } from 'node:zlib'

/** The names of a channel's queues: its own, or NAME.0, NAME.1 … */
export function queueNames(channel: string, partitions: number): readonly string[] {
  return partitions === 1 ? [channel] : Array.from({ length: partitions }, (_, index) => `${channel}.${index}`)
}

/**
 * Under which a message is published. It names the number of partitions, so that whoever goes by another number than the server's
 * reaches no queue: its messages are returned, never put where their key is not expected.
 */
export function routingKey(channel: string, partitions: number, index: number): string {
  return partitions === 1 ? channel : `${channel}/${partitions}/${index}`
}

/** CRC-32 of the key's UTF-8 bytes, modulo the number: the same in every process, version and language. */
export function partitionOf(key: string, partitions: number): number {
  return crc32(key) % partitions
}

/** The channel to which a queue belongs; `known` are channels with their numbers. Of others the name tells. */
export function channelOf(queue: string, known: ReadonlyMap<string, number>): string {
  for (const [channel, partitions] of known) {
    if (queueNames(channel, partitions).includes(queue)) return channel
  }
  return queue.replace(/\.\d+$/, '')
}
