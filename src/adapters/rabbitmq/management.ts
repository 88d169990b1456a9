import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { ObverseError } from 'obverse'
import type { ManagementAddress } from './address.ts'
import type { ArgumentValue } from './difference.ts'

/** What the plugin tells of a queue, as far as it is used here. Counts are up to five seconds old. */
export interface ManagedQueue {
  readonly messages_unacknowledged?: number
  /** Those that wait to become the active one, too. */
  readonly consumers?: number
  /** Absent until the first message. */
  readonly message_stats?: {
    readonly publish_details?: { readonly rate: number }
    readonly ack_details?: { readonly rate: number }
  }
  readonly arguments: Readonly<Record<string, ArgumentValue>>
  readonly policy: string | null
  readonly operator_policy: string | null
  readonly effective_policy_definition: Readonly<Record<string, ArgumentValue>> | null
}

/** Milliseconds for an answer. It is asked for what can be done without, so it may not hold anything up. */
const PATIENCE = 2_000

/** The HTTP API of the management plugin. */
export class Management {
  readonly #address: ManagementAddress
  readonly #vhost: string

  constructor(address: ManagementAddress, vhost: string) {
    this.#address = address
    this.#vhost = encodeURIComponent(vhost)
  }

  get origin(): string {
    return this.#address.origin
  }

  /** @throws {ObverseError} `BROKER_UNREACHABLE` when it does not answer, or not with that */
  async queue(name: string): Promise<ManagedQueue> {
    const { status, body } = await this.#get(`/api/queues/${this.#vhost}/${encodeURIComponent(name)}`)
    if (status !== 200) throw this.#unanswered(`it answered ${status}`)
    return JSON.parse(body) as ManagedQueue
  }

  /** What the server is short of, in its words; undefined: nothing. @throws as `queue` */
  async alarms(): Promise<string | undefined> {
    const { status, body } = await this.#get('/api/health/checks/alarms')
    if (status === 200) return undefined
    if (status !== 503) throw this.#unanswered(`it answered ${status}`)
    const { alarms = [] } = JSON.parse(body) as {
      alarms?: readonly { readonly node: string; readonly resource: string }[]
    }
    return alarms.map(({ node, resource }) => `${resource} of ${node}`).join(', ') || 'an alarm'
  }

  #get(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const { origin, credentials } = this.#address
    const request = origin.startsWith('https:') ? requestHttps : requestHttp
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(this.#unanswered(error.message))
      // no agent: a socket kept from before a restart of the server would fail
      const asking = request(`${origin}${path}`, { agent: false, auth: credentials, timeout: PATIENCE }, (answer) => {
        const parts: string[] = []
        answer.setEncoding('utf8')
        answer.on('data', (part: string) => parts.push(part))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: parts.join('') }))
        answer.on('error', fail)
      })
      asking.on('timeout', () => asking.destroy(new Error(`no answer within ${PATIENCE} ms`)))
      asking.on('error', fail)
      asking.end()
    })
  }

  #unanswered(why: string): ObverseError {
    return new ObverseError(
      'BROKER_UNREACHABLE',
      `The management plugin of RabbitMQ at ${this.origin} does not answer: ${why}`,
    )
  }
}
