// Real processes on one stack, over HTTP and command line: what every row of the acceptance runs on, the same text for each.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RunningProcess, runToEnd, start, temporaryFolder, until } from '../../../test/processes.ts'
import type { Role } from '../roles.ts'
import { SAMPLE } from '../sample.ts'
import type { Stack } from '../stack.ts'

export { SAMPLE, until }
export const UUID_V7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/
export const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
export const NO_SUCH_ORDER = 'The order you requested does not exist.'

// biome-ignore lint/suspicious/noExplicitAny: an answer is looked into as JSON
export type Json = any

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Json
}

/** The application on one stack, with nothing in it yet. What it keeps is looked at behind its back. */
export abstract class Installation {
  abstract readonly stack: Stack
  /** Why this stack cannot be had here. */
  abstract readonly missing: string | undefined
  /** Of its processes: where the data is. */
  abstract readonly env: Readonly<Record<string, string>>
  readonly processes: RunningProcess[] = []
  url = ''

  /** Of the write store: `?` for each parameter, numbers as numbers. */
  abstract rows(query: string, ...parameters: string[]): Promise<Json[]>
  /** The names of the types that columns of money have in the write store. */
  abstract moneyTypes(): Promise<readonly string[]>
  /** Ids of the orders that were created, in order of acceptance, the newest first. */
  abstract accepted(): Promise<readonly string[]>
  /** Messages that no consumer has done with: in the outbox, and in the queue. */
  abstract waiting(channel?: string): Promise<number>
  /** Removes what is in the queue. */
  abstract emptyQueue(channel?: string): Promise<void>
  /** Removes every row of the read store, and whatever is kept beside them. */
  abstract wipeReadStore(): Promise<void>
  protected abstract close(): Promise<void>

  /** Starts a process and waits until it is ready. The last API started is the one that is asked. */
  async start(role: Role): Promise<RunningProcess> {
    const process = this.process(role)
    await process.printed(/^Ready\./m, 30_000)
    const url = /API +(http:\S+)/.exec(process.output)?.[1]
    if (url) this.url = url
    return process
  }

  /** Begins to start one. */
  process(role: Role, args: readonly string[] = []): RunningProcess {
    const process = start('apps/start.ts', ['orders', '--role', role, '--port', '0', ...args], { env: this.env })
    this.processes.push(process)
    return process
  }

  /** Answers requests, and moves what they commit to the queue; consumes nothing. */
  async startWriting(): Promise<void> {
    await Promise.all([this.start('api'), this.start('relay')])
  }

  /** Ends a consumer once nothing waits any more, and holds it to having done with what it took. */
  async consumed(consumer: RunningProcess, timeout?: number): Promise<void> {
    await until('an empty queue', async () => (await this.waiting()) === 0, timeout)
    await consumer.stop()
    const left = await this.waiting()
    if (left > 0) throw new Error(`${left} messages were taken and came back`)
  }

  async count(table: 'orders' | 'obverse_event'): Promise<number> {
    return (await this.rows(`SELECT count(*) AS n FROM ${table}`))[0].n
  }

  async request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const sends = body !== undefined
    const response = await fetch(this.url + path, {
      method,
      headers: { ...(sends && { 'content-type': 'application/json' }), ...headers },
      ...(sends && { body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) }),
    } as RequestInit)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
  }

  get(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.request('GET', path, undefined, headers)
  }

  post(body: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.request('POST', '/orders', body, headers)
  }

  patch(id: string, body: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.request('PATCH', `/orders/${id}`, body, headers)
  }

  /** Creates an order and gives its id. */
  async create(changes: object = {}): Promise<string> {
    const { status, json, text } = await this.post({ ...SAMPLE, ...changes })
    if (status !== 201) throw new Error(`${status} ${text}`)
    return json.data.id
  }

  /** The order as it is after the write that `written` answered. */
  async readAfter(id: string, written: Answer): Promise<Json> {
    const token = written.headers.get('consistency-token')
    const { status, json, text } = await this.get(`/orders/${id}`, token ? { 'consistency-token': token } : {})
    if (status !== 200) throw new Error(`${status} ${text}`)
    return json.data
  }

  /** The order, once it can be read. */
  async readable(id: string, timeout?: number): Promise<Json> {
    const answer = await until(
      `order ${id} in the read model`,
      async () => {
        const { status, json } = await this.get(`/orders/${id}`)
        return status === 200 && json.data
      },
      timeout,
    )
    return answer
  }

  /** The application's own command line. */
  orders(...args: string[]): ReturnType<typeof runToEnd> {
    return runToEnd('apps/orders/cli.ts', args, { env: this.env })
  }

  /** The toolkit's command line. */
  obverse(...args: string[]): ReturnType<typeof runToEnd> {
    return runToEnd('src/cli/bin.ts', args, { env: this.env })
  }

  /** What waits in the queue, as it is there. */
  async queued(channel = 'orders_events'): Promise<Json[]> {
    const { code, stdout, stderr } = await this.obverse('channels', 'peek', channel, '--json', '--limit', '1000')
    if (code !== 0) throw new Error(stderr)
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  }

  /** Puts messages on the queue as they are, one a line. */
  async put(...bodies: string[]): Promise<void> {
    const folder = temporaryFolder('orders-raw')
    const file = join(folder.path, 'raw.txt')
    writeFileSync(file, bodies.join('\n'))
    const { code, output } = await this.obverse('channels', 'put', 'orders_events', '--raw', file, '--lines')
    folder.remove()
    if (code !== 0) throw new Error(output)
  }

  /** Messages that were given up, and wait for a decision. */
  async deadLetters(): Promise<Json[]> {
    const { code, stdout, stderr } = await this.obverse('failed', 'list', '--json')
    if (code !== 0) throw new Error(stderr)
    return JSON.parse(stdout)
  }

  async end(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.kill()))
    await this.close()
  }
}
