import type { ChannelModel } from 'amqplib'
import { type Health, isoTime, type ObverseError, type Runtime } from 'obverse'
import type { Address } from './address.ts'
import type { Link } from './link.ts'

export interface HealthQuestion {
  readonly address: Address
  readonly publishing: Link<ChannelModel>
  readonly consuming: Link<ChannelModel>
  /** Of channels that cannot be used. */
  readonly mistakes: readonly ObverseError[]
  readonly runtime: Runtime
}

/** What an operator has to know of the server at a glance: reachable, since when not, blocked, misused. */
export async function healthOf({ address, publishing, consuming, mistakes }: HealthQuestion): Promise<Health> {
  let model: ChannelModel
  try {
    model = await consuming.get()
  } catch (error) {
    return { ok: false, detail: `${(error as Error).message}; tried again and again since ${isoTime(consuming.since)}` }
  }
  const { product, version } = model.connection.serverProperties
  const server = `${product} ${version} at ${address.text}`
  if (publishing.blockedBy !== undefined) {
    const since = isoTime(publishing.since)
    return { ok: false, detail: `${server} takes no messages since ${since}: ${publishing.blockedBy}` }
  }
  if (publishing.error) {
    return {
      ok: false,
      detail: `${server}, but publishing fails since ${isoTime(publishing.since)}: ${publishing.error.message}`,
    }
  }
  if (mistakes.length > 0)
    return { ok: false, detail: `${server}: ${mistakes.map(({ message }) => message).join('; ')}` }
  return { ok: true, detail: server }
}
