import type { Duplex } from 'node:stream'
import type { ClientBase, CustomTypesConfig, QueryResult } from 'pg'
import { types as defaults } from 'pg'
import { storeError } from './errors.ts'
import { preparedName } from './repeated.ts'
import type { Statement } from './statement.ts'

const BIGINT = 20
const NUMERIC = 1700

/** `bigint` as a number: positions, seqs and counts of ours stay far below 2^53. */
const OUR_TYPES: CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === BIGINT || oid === NUMERIC
      ? Number
      : defaults.getTypeParser(oid, format as 'text')) as CustomTypesConfig['getTypeParser'],
}

/** One session with the server. Statements that are started together travel together where the client pipelines. */
export class Connection {
  readonly client: ClientBase
  readonly #server: string
  /** Clients that do not pipeline want one statement at a time. */
  #last: Promise<unknown> | undefined
  #gathering = false

  constructor(client: ClientBase, server: string) {
    this.client = client
    this.#server = server
    if (!(client as { pipeline?: boolean }).pipeline) this.#last = Promise.resolve()
  }

  async all<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    const { rows } = await this.#query(statement, values)
    return rows as Row[]
  }

  async get<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row | undefined> {
    const { rows } = await this.#query(statement, values)
    return rows[0] as Row | undefined
  }

  /** How many rows were changed. */
  async run(statement: Statement, values: readonly unknown[] = []): Promise<number> {
    const { rowCount } = await this.#query(statement, values)
    return rowCount ?? 0
  }

  /** Several statements without parameters, or one that is not worth preparing. Returns the command tag of the last. */
  async execute(text: string): Promise<string> {
    const result = await this.#send({ text })
    const last = Array.isArray(result) ? (result.at(-1) as QueryResult) : result
    return last.command
  }

  /** A statement of the application: its types are those of its driver, and its errors stay as they are. */
  raw(text: string, values: readonly unknown[]): Promise<QueryResult> {
    const name = preparedName(this.client, text)
    return this.#inTurn(() => this.client.query({ text, values: [...values], ...(name !== undefined && { name }) }))
  }

  #query({ name, text }: Statement, values: readonly unknown[]): Promise<QueryResult> {
    return this.#send({ name, text, values: values as unknown[], types: OUR_TYPES })
  }

  async #send(config: object): Promise<QueryResult> {
    this.#together()
    try {
      return await this.#inTurn(() => this.client.query(config as never) as unknown as Promise<QueryResult>)
    } catch (error) {
      throw storeError(error, this.#server)
    }
  }

  /** What is started in one turn of the event loop goes in one packet: each alone would wake the server for itself. */
  #together(): void {
    const { connection } = this.client as unknown as { readonly connection?: { readonly stream?: Duplex } }
    const stream = connection?.stream
    if (this.#gathering || !stream?.cork) return
    this.#gathering = true
    stream.cork()
    process.nextTick(() => {
      this.#gathering = false
      stream.uncork()
    })
  }

  #inTurn<T>(query: () => Promise<T>): Promise<T> {
    if (!this.#last) return query()
    const mine = this.#last.then(query)
    this.#last = mine.catch(() => {})
    return mine
  }
}
