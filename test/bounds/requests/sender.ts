import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import type { Headers } from './headers.ts'
import type { Request } from './request.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
}

/** Milliseconds after which a request counts as never answered. */
const PATIENCE = 30_000
const CONTINUE = /^HTTP\/1\.1 100 [^\r]*\r\n\r\n/

/** Sends requests to one address. `undefined`: the connection ended without an answer. */
export class Sender {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  readonly #address: URL

  constructor(address: string) {
    this.#address = new URL(address)
  }

  send(request: Request): Promise<Answer | undefined> {
    return request.raw === undefined ? this.#send(request) : this.#sendBytes(bytesOf(request, request.raw))
  }

  close(): void {
    this.#agent.destroy()
  }

  #send({ method, target, headers, body }: Request): Promise<Answer | undefined> {
    const { hostname, port } = this.#address
    const length = body ? { 'content-length': String(body.length) } : {}
    return new Promise((resolve, reject) => {
      const sent = httpRequest(
        {
          hostname,
          port,
          method,
          path: target,
          headers: { ...headers, ...length },
          agent: this.#agent,
          timeout: PATIENCE,
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString(),
            }),
          )
        },
      )
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${PATIENCE} ms`)))
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // a connection that was kept may close at the very moment at which it is used again: nothing was sent
        if (error.code === 'ECONNRESET' && sent.reusedSocket)
          resolve(this.#send({ method, target, headers, ...(body && { body }) }))
        // too many headers are refused before it is known that they are of a HEAD: its answer has a body all the same
        else if (method === 'HEAD' && error.code === 'HPE_CLOSED_CONNECTION')
          resolve({ status: 431, headers: {}, text: '' })
        else reject(error)
      })
      sent.end(body)
    })
  }

  #sendBytes(bytes: Buffer): Promise<Answer | undefined> {
    const { hostname, port } = this.#address
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      const socket = connect(Number(port), hostname, () => socket.end(bytes))
      socket.setTimeout(PATIENCE, () => socket.destroy(new Error(`no answer within ${PATIENCE} ms`)))
      socket.on('data', (chunk) => chunks.push(chunk))
      socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? undefined : reject(error)))
      socket.on('close', () => resolve(parsed(Buffer.concat(chunks).toString('latin1').replace(CONTINUE, ''))))
    })
  }
}

/** The first answer of what came; what comes after it belongs to what was left of the bytes. */
function parsed(text: string): Answer | undefined {
  const [, status, lines = '', rest = ''] = /^HTTP\/1\.1 (\d{3})[^\r]*\r\n([\s\S]*?)\r\n\r\n([\s\S]*)$/.exec(text) ?? []
  if (status === undefined) return undefined
  const headers = Object.fromEntries(
    lines.split('\r\n').map((line) => {
      const at = line.indexOf(':')
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
    }),
  )
  const length = Number(headers['content-length'] ?? 0)
  return { status: Number(status), headers, text: Buffer.from(rest, 'latin1').subarray(0, length).toString() }
}

/** A request as bytes, with something about them that HTTP does not allow, or hardly. */
function bytesOf({ method, target, headers, body = Buffer.alloc(0) }: Request, twist: string): Buffer {
  const { length } = body
  const lengths: Record<string, readonly string[]> = {
    'two-lengths': [`Content-Length: ${length}`, `Content-Length: ${length + 1}`],
    'both-lengths': [`Content-Length: ${length}`, 'Transfer-Encoding: chunked'],
    'negative-length': ['Content-Length: -1'],
    'short-body': [`Content-Length: ${length + 10}`],
    'bad-chunk': ['Transfer-Encoding: chunked'],
  }
  const extra: Record<string, readonly string[]> = {
    'bad-name': ['b@d name: x'],
    folded: ['x-folded: a', '  b'],
    'nul-header': ['x-nul: a\0b'],
    'many-headers': Array.from({ length: 3_000 }, (_, at) => `x-${at}: y`),
  }
  const versions: Record<string, string> = { 'old-version': ' HTTP/0.9', 'new-version': ' HTTP/9.9', 'no-version': '' }
  const targets: Record<string, string> = {
    absolute: `http://elsewhere.example${target}`,
    star: '*',
    spaces: `${target} x y`,
  }
  const given: Headers = headers
  const lines = [
    `${method} ${targets[twist] ?? target}${versions[twist] ?? ' HTTP/1.1'}`,
    ...(twist === 'no-host' ? [] : ['Host: localhost']),
    'Connection: close',
    ...Object.entries(given).map(([name, value]) => `${name}: ${value}`),
    ...(lengths[twist] ?? [`Content-Length: ${length}`]),
    ...(extra[twist] ?? []),
  ]
  const end = twist === 'bare-lf' ? '\n' : '\r\n'
  const chunked = twist === 'bad-chunk' ? Buffer.from('zz\r\n') : Buffer.alloc(0)
  return Buffer.concat([Buffer.from(lines.join(end) + end + end, 'latin1'), chunked, body])
}
