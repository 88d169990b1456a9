// One data folder and the real processes on it, over HTTP and command line: what every row of the acceptance runs on.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type RunningProcess, runToEnd, start, temporaryFolder, until } from '../../../test/processes.ts'
import type { Role } from '../roles.ts'
import { SAMPLE } from '../sample.ts'

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

export class Installation {
  readonly folder = temporaryFolder('orders')
  readonly file: string = join(this.folder.path, 'orders.db')
  readonly env: Readonly<Record<string, string>>
  readonly processes: RunningProcess[] = []
  url = ''

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.env = { ...env, DATA_DIR: this.folder.path }
  }

  /** Starts a process on the folder and waits until it is ready. The last API started is the one that is asked. */
  async start(role: Role, args: readonly string[] = []): Promise<RunningProcess> {
    const process = start('apps/start.ts', ['orders', '--role', role, '--port', '0', ...args], { env: this.env })
    this.processes.push(process)
    await process.printed(/^Ready\./m)
    const url = /API +(http:\S+)/.exec(process.output)?.[1]
    if (url) this.url = url
    return process
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

  /** Looks into the data file, or changes it, behind the application's back. */
  sql<T = Json>(use: (database: DatabaseSync) => T): T {
    const database = new DatabaseSync(this.file, { timeout: 5_000 })
    try {
      return use(database)
    } finally {
      database.close()
    }
  }

  rows(query: string, ...parameters: string[]): Json[] {
    return this.sql((database) => database.prepare(query).all(...parameters))
  }

  async end(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.kill()))
    this.folder.remove()
  }
}
