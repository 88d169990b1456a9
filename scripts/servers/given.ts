import { ServerMissing } from './missing.ts'
import { NAMES, type ServerName } from './name.ts'
import { probe } from './probe.ts'
import type { ServerRecord } from './record.ts'

/**
 * A server of the user's, named by its variable; undefined when none is. It is used as it is. Rejects with
 * ServerMissing when it does not answer: to run another instead would hide that.
 */
export async function givenServer(name: ServerName): Promise<ServerRecord | undefined> {
  const { kind, variable = '' } = NAMES[name]
  const url = process.env[variable]
  if (!url) return undefined
  let version: string
  try {
    version = await probe(kind, url)
  } catch (error) {
    const reason = `${variable} names ${hidden(url)}, which does not answer (${(error as Error).message})`
    throw new ServerMissing(name, reason, `Start it, or unset ${variable}`)
  }
  const management = kind === 'rabbitmq' ? await managementOf(url, variable) : undefined
  const whose = { way: 'url', what: 'server', from: `yours, by ${variable}` } as const
  const record = { name, kind, ...whose, url, version, startedIn: 0, ports: {}, secret: '', processes: {} }
  return management ? { ...record, management } : record
}

/** OBVERSE_TEST_RABBITMQ_MANAGEMENT_URL or its like; otherwise the usual port of the same host, if that answers. */
async function managementOf(url: string, variable: string): Promise<string | undefined> {
  const { username, password, hostname } = new URL(url)
  const usual = `http://${username || 'guest'}:${password || 'guest'}@${hostname}:15672`
  const management = process.env[variable.replace(/_URL$/, '_MANAGEMENT_URL')] ?? usual
  const { origin, username: user, password: secret } = new URL(management)
  const headers = { authorization: `Basic ${btoa(`${decodeURIComponent(user)}:${decodeURIComponent(secret)}`)}` }
  const answer = await fetch(`${origin}/api/whoami`, { headers, signal: AbortSignal.timeout(2_000) }).catch(
    () => undefined,
  )
  return answer?.ok ? management : undefined
}

/** A URL as it may be printed. */
export function hidden(url: string): string {
  return url.replace(/(:\/\/[^:@/]*):[^@/]*@/, '$1:***@')
}
