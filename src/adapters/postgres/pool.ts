import { ObverseError } from 'obverse'
import pg, { type Pool, type PoolClient } from 'pg'
import { Connection } from './connection.ts'
import { storeError } from './errors.ts'
import type { Settings } from './options.ts'

/** The connections of one store: of a pool that the application has, or of one made from an address. */
export interface Sessions {
  /** Host, port and database, for messages; never a password. */
  readonly server: string
  /** Connections at most. */
  readonly size: number
  /** Lends a connection to `work` alone. One that fails in between is not used again. */
  lend<T>(work: (connection: Connection) => Promise<T>): Promise<T>
  /** A connection for as long as the store is open; `end` gives it back. */
  keep(onLost: () => void): Promise<Kept>
  close(): Promise<void>
}

export interface Kept {
  readonly connection: Connection
  end(): void
}

export function sessions(source: string | Pool, settings: Settings): Sessions {
  const own = typeof source === 'string'
  const pool = own ? ownPool(source, settings) : source
  const server = serverOf(pool.options as never)
  // an idle client that loses its server is taken out by the pool; without a listener it would end the process
  const ignore = () => {}
  pool.on('error', ignore)

  const connect = async (): Promise<{ readonly connection: Connection; readonly client: PoolClient }> => {
    try {
      const client = await pool.connect()
      return { client, connection: new Connection(client, server) }
    } catch (error) {
      throw isTaken(pool, error) ? allTaken(pool, server, error) : storeError(error, server)
    }
  }
  return {
    server,
    size: pool.options.max ?? 10,
    async lend(work) {
      const { client, connection } = await connect()
      const lost: { error?: Error } = {}
      const onError = (error: Error) => {
        lost.error = error
      }
      client.on('error', onError)
      try {
        return await work(connection)
      } finally {
        client.removeListener('error', onError)
        client.release(lost.error ?? isOpen(client))
      }
    },
    async keep(onLost) {
      const { client, connection } = await connect()
      let ended = false
      const over = (error?: Error | boolean) => {
        if (ended) return
        ended = true
        client.removeListener('error', fail)
        client.removeListener('end', fail)
        client.on('error', ignore)
        client.release(error ?? false)
      }
      const fail = (error?: Error) => {
        over(error ?? true)
        onLost()
      }
      client.on('error', fail)
      client.on('end', fail)
      return { connection, end: () => over(true) }
    },
    async close() {
      pool.removeListener('error', ignore)
      pool.on('error', ignore)
      if (own) await pool.end()
    },
  }
}

/** No connection came back in time, and there can be no more. */
function isTaken({ totalCount, idleCount, options }: Pool, error: unknown): boolean {
  return /^timeout exceeded when trying/.test((error as Error).message) && totalCount - idleCount >= options.max
}

/** Each handler with `ctx.db` has one until it ends, and one that waits for another such handler has two. */
function allTaken({ options }: Pool, server: string, cause: unknown): ObverseError {
  return new ObverseError(
    'STORE_UNREACHABLE',
    `${server}: none of the ${options.max} connections of the pool became free within ${options.connectionTimeoutMillis} ms; raise connections, lower the concurrency, or send no command from inside a handler that has used ctx.db`,
    { cause },
  )
}

/** True: a transaction was left open on it, so it must not be lent again. */
function isOpen(client: PoolClient): boolean {
  const status = (client as unknown as { getTransactionStatus?: () => string | null }).getTransactionStatus?.()
  return status !== undefined && status !== null && status !== 'I'
}

function ownPool(url: string, { connections, patience, answerTimeout, turnLimit }: Settings): Pool {
  return new pg.Pool({
    connectionString: url,
    max: connections,
    pipeline: true,
    connectionTimeoutMillis: patience,
    query_timeout: answerTimeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    fallback_application_name: 'obverse',
    // a process that froze inside a transaction must not keep its locks
    idle_in_transaction_session_timeout: turnLimit * 2,
  })
}

interface Address {
  readonly connectionString?: string
  readonly host?: string
  readonly port?: number
  readonly database?: string
}

function serverOf({ connectionString, host, port, database }: Address): string {
  let [at, name] = [`${host ?? 'localhost'}:${port ?? 5432}`, database]
  if (connectionString && URL.canParse(connectionString)) {
    const url = new URL(connectionString)
    at = url.host || url.searchParams.get('host') || at
    name = decodeURIComponent(url.pathname.slice(1)) || name
  }
  return `PostgreSQL at ${at}${name ? ` (${name})` : ''}`
}
