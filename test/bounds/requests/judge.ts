import { KNOWN_ID } from './headers.ts'
import type { Description, Request } from './request.ts'
import type { Answer } from './sender.ts'

/** Nothing of ours in an answer: no stack, no file, no SQL, no word of a package or of a driver. */
const INTERNAL =
  /node_modules|node:internal|\/(?:src|apps|test)\/|\.ts:\d|\\n +at |sqlite|postgres|rabbit|amqp|mongo|kysely|zod|obverse|fastify|fst_|err_|econn|error:|select |insert into|undefined|\[object /i

/** Of HTTP itself: a request with one of these has not come to any operation. */
const OF_HTTP: readonly number[] = [400, 404, 405, 408, 413, 414, 415, 417, 431]
/** Pages of the application that are no operations. */
const PAGES = /^\/(?:docs|openapi\.json)?(?:[?#]|$)/

/** What is wrong with an answer, in words; nothing is. */
export function wrongAbout(request: Request, answer: Answer | undefined, description: Description): string | undefined {
  if (!answer) return request.raw === undefined ? 'no answer' : undefined
  const { status, text, headers } = answer
  if (status >= 500 && !(status === 503 && headers['retry-after'] !== undefined)) return `status ${status}`
  if (PAGES.test(request.raw === 'star' ? '/' : request.target) && status === 200) return undefined
  if (!isDescribed(request, status, description)) return `status ${status} is not in the description`
  if (request.method === 'HEAD' || request.method === 'OPTIONS' || status === 304) return undefined
  return wrongAboutText(status, text)
}

function wrongAboutText(status: number, text: string): string | undefined {
  let json: Failed
  try {
    json = JSON.parse(text) as Failed
  } catch {
    return 'the answer is not JSON'
  }
  if (json.statusCode !== status) return `statusCode is ${json.statusCode}, the status ${status}`
  if (status < 400) return 'data' in json ? undefined : 'the answer has no data'
  const { type, description, fields } = json.error ?? {}
  if (typeof type !== 'string' || !/^[A-Z_]+$/.test(type)) return 'the refusal has no type'
  if (typeof description !== 'string' || !/\w{2}/.test(description)) return 'the refusal does not say what is wrong'
  // names of fields are the client's own words
  const said = Object.values(fields ?? {})
  const internal = INTERNAL.exec([description, ...said.flat()].join('\n'))
  if (internal) return `an internal text: ${JSON.stringify(internal[0])}`
  // an idempotency key that was used with another body has no field to name
  if (type !== 'VALIDATION_ERROR' || (status === 422 && fields === undefined)) return undefined
  const isNamed = said.length > 0 && said.every((texts) => texts.length > 0 && texts.every((one) => /\w/.test(one)))
  return isNamed ? undefined : 'the refusal names no field'
}

interface Failed {
  readonly statusCode?: number
  readonly data?: unknown
  readonly error?: {
    readonly type?: unknown
    readonly description?: unknown
    readonly fields?: Readonly<Record<string, readonly string[]>>
  }
}

function isDescribed({ method, target, raw }: Request, status: number, { paths }: Description): boolean {
  if (OF_HTTP.includes(status) || raw !== undefined) return true
  const path = (target.split(/[?#]/, 1)[0] as string).replaceAll(KNOWN_ID, 'x')
  const name = Object.keys(paths).find((one) => new RegExp(`^${one.replace('{id}', '[^/]+')}$`).test(path))
  const operation = name === undefined ? undefined : paths[name]?.[(method === 'HEAD' ? 'GET' : method).toLowerCase()]
  if (!operation) return method === 'OPTIONS' && status === 200
  return String(status) in operation.responses
}
