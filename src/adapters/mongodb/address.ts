import { MongoClient, type MongoClientOptions } from 'mongodb'
import { ObverseError } from 'obverse'
import type { Settings } from './options.ts'

/** Where the rows are, for the driver and, without credentials, for people. */
export interface Address {
  readonly url: string
  readonly database: string
  readonly clientOptions: MongoClientOptions
  /** `127.0.0.1:27017/shop` */
  readonly place: string
}

const URL_PARTS = /^mongodb(?:\+srv)?:\/\/(?:.*@)?([^/?@]+)(?:\/([^?]*))?(?:\?(.*))?$/s

/**
 * Reads a URL without connecting.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID`, in which no part of the URL is that could be a password
 */
export function addressOf(url: string, { database, timeout }: Settings): Address {
  const [, hosts, path = '', query = ''] = URL_PARTS.exec(url) ?? []
  if (hosts === undefined) {
    throw invalid('The URL of mongodb() cannot be read; give one like mongodb://127.0.0.1:27017/shop')
  }
  const name = database ?? decoded(path)
  if (name === '') {
    throw invalid(
      `The URL of mongodb() for ${hosts} names no database; add one (mongodb://${hosts}/shop) or give { database }`,
    )
  }
  const given = new Set([...new URLSearchParams(query).keys()].map((option) => option.toLowerCase()))
  const unlessGiven = (option: keyof MongoClientOptions, value: number) =>
    given.has(option.toLowerCase()) ? {} : { [option]: value }
  const clientOptions: MongoClientOptions = {
    appName: 'obverse',
    ...unlessGiven('serverSelectionTimeoutMS', timeout),
    ...unlessGiven('connectTimeoutMS', timeout),
    // the driver would wait without end for a connection that its pool never gets
    ...unlessGiven('waitQueueTimeoutMS', timeout),
    // a server that hangs is noticed after this and the time to connect; without, after 10 s more
    ...unlessGiven('heartbeatFrequencyMS', 3_000),
  }
  try {
    // what the driver cannot use is said now, not at the first row
    new MongoClient(url, clientOptions).db(name)
  } catch (error) {
    // no cause: the driver's own words may repeat the URL
    const reason = without(error instanceof Error ? error.message : String(error), secretsOf(url))
    throw invalid(`The URL of mongodb() for ${hosts} cannot be used: ${reason}`)
  }
  return { url, database: name, clientOptions, place: `${hosts}/${name}` }
}

/** The same text without the credentials of `url`. */
export function withoutCredentials(text: string, url: string): string {
  return without(text, secretsOf(url).slice(0, 2))
}

/** What of a URL is nobody's business: all of it, its credentials, the password as it is written and as it is. */
function secretsOf(url: string): string[] {
  const credentials = /^[^/]*\/\/(.*)@/s.exec(url)?.[1] ?? ''
  const colon = credentials.indexOf(':')
  const password = colon < 0 ? '' : credentials.slice(colon + 1)
  return [url, credentials, password, decoded(password)]
}

function without(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret !== '').reduce((clean, secret) => clean.replaceAll(secret, '…'), text)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function invalid(message: string): ObverseError {
  return new ObverseError('CONFIGURATION_INVALID', message)
}
