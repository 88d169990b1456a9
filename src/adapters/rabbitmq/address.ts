import { ObverseError } from 'obverse'
import type { Settings } from './options.ts'

/** Where a server is, and who asks. */
export interface Address {
  /** For the driver, with the password. Never printed. */
  readonly url: string
  /** `127.0.0.1:5672/orders`, for people. */
  readonly text: string
  readonly host: string
  readonly vhost: string
  readonly user: string
  readonly password: string
  /** Of the management plugin; undefined: it is not asked. */
  readonly management: ManagementAddress | undefined
}

export interface ManagementAddress {
  readonly origin: string
  /** `user:password`. */
  readonly credentials: string
}

const USUAL_PORTS: Readonly<Record<string, { readonly port: string; readonly management: string }>> = {
  'amqp:': { port: '5672', management: 'http://HOST:15672' },
  'amqps:': { port: '5671', management: 'https://HOST:15671' },
}

/**
 * Reads a URL as `amqp://user:password@host:port/vhost`; what is left out is as RabbitMQ has it: `guest`, 5672, `/`.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` without repeating the password
 */
export function addressOf(url: string, { heartbeat, management }: Settings): Address {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      'The URL of RabbitMQ cannot be read; give amqp://user:password@host:port/vhost',
    )
  }
  const usual = USUAL_PORTS[parsed.protocol]
  if (!usual || parsed.hostname === '') {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `The URL of RabbitMQ begins with ${parsed.protocol}//${parsed.hostname}; give amqp://HOST or amqps://HOST`,
    )
  }
  const port = parsed.port || usual.port
  const host = parsed.hostname
  const vhost = decodeURIComponent(parsed.pathname.slice(1)) || '/'
  const [user, password] = credentialsIn(parsed) ?? ['guest', 'guest']
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', String(heartbeat / 1_000))
  return {
    url: parsed.href,
    text: `${host}:${port}${vhost === '/' ? '' : `/${vhost}`}`,
    host,
    vhost,
    user,
    password,
    management: managementOf(
      management ?? (port === usual.port && usual.management.replace('HOST', host)),
      `${user}:${password}`,
    ),
  }
}

function credentialsIn({ username, password }: URL): readonly [user: string, password: string] | undefined {
  return username === '' && password === '' ? undefined : [decodeURIComponent(username), decodeURIComponent(password)]
}

/** A plugin on the usual port of the host belongs to the server on the usual port; of another it may be anybody's. */
function managementOf(given: string | false, credentials: string): ManagementAddress | undefined {
  if (given === false) return undefined
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      'The option management cannot be read; give http://HOST:15672, or false',
    )
  }
  return { origin: url.origin, credentials: credentialsIn(url)?.join(':') ?? credentials }
}
