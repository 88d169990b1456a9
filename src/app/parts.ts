import { ObverseError } from '../errors.ts'
import type { Channel } from '../wire/channel.ts'
import { type Consumer, createConsumer } from '../wire/consumer.ts'
import type { Roles } from './application.ts'
import type { Assembly } from './assembly.ts'
import type { Opened } from './opened.ts'

/** The long-running parts of a process, as its roles say. */
export interface Parts {
  start(): Promise<void>
  /** Starts nothing new, finishes what runs: consumers first, what they feed after them. */
  stop(): Promise<void>
}

export function createParts(opened: Opened, assembly: Assembly, roles: Roles): Parts {
  const { relay, givenUp, projectors, logLanes, wake, generations } = opened
  const { relay: relays = true, consume = true, project = true } = roles
  const consumers = channelsOf(assembly, consume).map((channel) => createConsumer(opened.consumers, channel))
  const lanes: readonly Consumer[] = project ? [...consumers, logLanes] : consumers
  const listeners = [
    ...(relays ? [relay.wake] : []),
    ...lanes.map((consumer) => consumer.wake),
    ...(project ? [generations.wake, ...projectors.map((projector) => projector.wake)] : []),
  ]
  let leave: readonly (() => void)[] = []
  return {
    async start() {
      leave = listeners.map((listener) => wake.on(listener))
      if (relays) {
        relay.start()
        givenUp.start()
      }
      if (project) for (const projector of projectors) projector.start()
      await Promise.all(lanes.map((consumer) => consumer.start()))
    },
    async stop() {
      await Promise.all(lanes.map((consumer) => consumer.stop()))
      await Promise.all(project ? projectors.map((projector) => projector.stop()) : [])
      if (relays) await Promise.all([relay.stop(), givenUp.stop()])
      for (const end of leave) end()
    },
  }
}

/** @throws {ObverseError} `CHANNEL_UNKNOWN` */
export function channelsOf({ channels }: Assembly, wanted: boolean | readonly string[]): readonly Channel[] {
  if (wanted === false) return []
  if (wanted === true) return [...channels.values()]
  return wanted.map((name) => {
    const channel = channels.get(name)
    if (channel) return channel
    const all = [...channels.keys()].join(', ') || 'none'
    throw new ObverseError('CHANNEL_UNKNOWN', `There is no channel ${JSON.stringify(name)}; the channels are: ${all}`)
  })
}

/** Rounds after which something feeds itself without end. */
const MOST_ROUNDS = 10_000

/** Does everything that is due, round after round, until a round finds nothing. */
export async function drainAll(opened: Opened, assembly: Assembly): Promise<number> {
  const { relay, projectors, logLanes } = opened
  const consumers = [...assembly.channels.values()].map((channel) => createConsumer(opened.consumers, channel))
  let total = 0
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    let done = await relay.step()
    for (const consumer of [...consumers, logLanes]) done += await consumer.step()
    for (const projector of projectors) {
      while (await projector.step()) done += 1
    }
    if (done === 0) return total
    total += done
  }
  throw new ObverseError(
    'CONFIGURATION_INVALID',
    `After ${MOST_ROUNDS} rounds there is still work; does a handler publish what it handles?`,
  )
}
