import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem, unreadable } from './problem.ts'

export interface BodyLimits {
  /** Bytes of a request's body. Default 1 MiB. */
  readonly bodyLimit?: number
  /** Objects and arrays inside each other. Default 32. */
  readonly depthLimit?: number
}

export const BODY_LIMIT: number = 1_048_576
const DEPTH_LIMIT = 32

/** Bytes beyond the limit that are read and thrown away, so that a client that is still sending can hear the 413. */
const PATIENCE = 16 * 1_048_576

/** Accepts `application/json` and nothing else; anything but readable JSON of bounded size and depth is a 4xx. */
export function acceptJson(server: FastifyInstance, limits: BodyLimits): void {
  const { bodyLimit = BODY_LIMIT, depthLimit = DEPTH_LIMIT } = limits
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/json', async (request: FastifyRequest, stream: NodeJS.ReadableStream) => {
    const bytes = await read(stream, bodyLimit)
    // an unknown route is a 404 and a wrong method a 405, whatever came with it
    return request.is404 ? undefined : parseJson(bytes, depthLimit)
  })
}

function read(stream: NodeJS.ReadableStream, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const tooLarge = () => reject(new Problem(413, 'PAYLOAD_TOO_LARGE', `The body is larger than ${limit} bytes.`))
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= limit) chunks.push(chunk)
      else if (length > limit + PATIENCE) tooLarge()
    })
    stream.on('end', () => (length > limit ? tooLarge() : resolve(Buffer.concat(chunks, length))))
    stream.on('error', () => reject(unreadable('The body did not arrive in full.')))
  })
}

/** @throws {Problem} 400 for what is not UTF-8, not JSON, or nested too deeply */
export function parseJson(bytes: Buffer, depthLimit: number = DEPTH_LIMIT): unknown {
  if (bytes.length === 0) throw unreadable('The body is empty; send a JSON object.')
  if (!isUtf8(bytes)) throw unreadable('The body is not UTF-8.')
  const text = bytes.toString('utf8')
  if (text.length > depthLimit && isDeeperThan(depthLimit, text)) {
    throw unreadable(`The body has objects or arrays more than ${depthLimit} deep.`)
  }
  try {
    return JSON.parse(text)
  } catch {
    throw unreadable('The body is not valid JSON.')
  }
}

/** Looked at before parsing: what is deep costs a stack wherever it is walked. */
function isDeeperThan(limit: number, text: string): boolean {
  let depth = 0
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at)
    if (quoted) {
      if (char === BACKSLASH) at += 1
      else if (char === QUOTE) quoted = false
    } else if (char === QUOTE) quoted = true
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      depth += 1
      if (depth > limit) return true
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth -= 1
  }
  return false
}

const [QUOTE, BACKSLASH, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [...'"\\{}[]'].map((char) =>
  char.charCodeAt(0),
)

export type JsonObject = Readonly<Record<string, unknown>>

/** @throws {Problem} 400 */
export function objectOf(body: unknown): JsonObject {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as JsonObject
  throw unreadable('The body is not a JSON object.')
}
