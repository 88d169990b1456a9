import { isObverseError, ObverseError } from 'obverse'
import type { Address } from './address.ts'

type Asker = Pick<Address, 'text' | 'vhost' | 'user' | 'password'>

/**
 * What went wrong, in our words. Only what trying again cannot mend by itself is a mistake of the configuration; everything else is an
 * outage: nothing is lost by it, and it is tried again without end.
 *
 * @param doing what was tried, as "declare the queue orders_events"
 */
export function brokerError(error: unknown, asker: Asker, doing: string): ObverseError {
  if (isObverseError(error)) return error
  const { code, reason } = saidBy(error)
  const remedy = remedyOf(code, reason, asker)
  const text = `Cannot ${doing} on RabbitMQ at ${asker.text}: ${withoutPassword(reason, asker)}`
  return remedy === undefined
    ? new ObverseError('BROKER_UNREACHABLE', text, { cause: error })
    : new ObverseError('CONFIGURATION_INVALID', `${text}. ${remedy}`, { cause: error })
}

/** The server's own number and text, out of what the driver makes of them. */
export function saidBy(error: unknown): { readonly code: number | string | undefined; readonly reason: string } {
  const { code, message } = error as { readonly code?: number | string; readonly message?: string }
  const text = message === undefined || message === '' ? String(code ?? error) : message.trim()
  const said = /with message "(.*)"$/s.exec(text)?.[1]
  const number = /\b(\d{3}) \([A-Z-]+\)/.exec(text)?.[1]
  return { code: code ?? (number === undefined ? undefined : Number(number)), reason: said ?? text }
}

/** What to do about a mistake; undefined: it is none of ours, or may pass by itself. */
function remedyOf(code: number | string | undefined, reason: string, { vhost, user }: Asker): string | undefined {
  if (/ is down\b|home node|crashed|timed out|shutdown/i.test(reason)) return undefined
  const permit = `rabbitmqctl set_permissions -p ${vhost} ${user} CONFIGURE WRITE READ`
  if (/Expected ConnectionOpenOk/.test(reason)) {
    return `The virtual host ${vhost} does not exist, or ${user} may not use it: rabbitmqctl add_vhost ${vhost}, then ${permit}`
  }
  if (code === 403 && /login was refused/i.test(reason)) return `Mend the user ${user} or its password in the URL`
  if (code === 403) return `Permit it: ${permit}`
  if (code === 405) return 'Somebody else holds it exclusively: end that'
  if (code === 406) return 'Mend the setting that the server names'
  if (typeof code === 'string' && CERTIFICATE.test(code))
    return 'Mend the certificate, or name its authority with tls: { ca }'
  return undefined
}

const CERTIFICATE = /^(ERR_TLS_|ERR_SSL_WRONG_VERSION|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/

function withoutPassword(text: string, { user, password }: Asker): string {
  // a password like the user's name hides nothing, and the name is needed
  return password === '' || password === user ? text : text.replaceAll(password, '***')
}
