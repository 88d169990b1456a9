import { ObverseError, type SqlConnection, type SqlResult } from 'obverse'

/** A client of `pg` on which `BEGIN` has been run. */
export interface PgTransaction {
  query(statement: { text: string; values: unknown[] }): Promise<Answer>
  /** A pool has it. */
  readonly totalCount?: never
}

/** What `db.transaction().execute(async (trx) => …)` of Kysely gives, or a controlled transaction. */
export interface KyselyTransaction {
  readonly isTransaction: true
  withoutPlugins(): { executeQuery(query: never): Promise<Answer> }
}

/** What `db.transaction(async (tx) => …)` of Drizzle gives, on any of its PostgreSQL drivers. */
export interface DrizzleTransaction {
  execute(query: string): PromiseLike<unknown>
  rollback(): never
}

/** What `prisma.$transaction(async (tx) => …)` gives. */
export interface PrismaTransaction {
  $queryRawUnsafe<T>(query: string, ...values: unknown[]): PromiseLike<T>
  /** The client itself has it. */
  readonly $connect?: never
}

/** What `knex.transaction(async (trx) => …)` gives, or `await knex.transaction()`. */
export interface KnexTransaction {
  // biome-ignore lint/suspicious/noExplicitAny: knex takes any bindings
  raw(sql: string, bindings: readonly any[]): PromiseLike<any>
  isCompleted(): boolean
}

export type OpenTransaction =
  | PgTransaction
  | KyselyTransaction
  | DrizzleTransaction
  | PrismaTransaction
  | KnexTransaction

type Answer = { readonly rows: readonly unknown[] }
type Row = Record<string, unknown>
type Execute = (sql: string, values: readonly unknown[]) => PromiseLike<unknown>

/**
 * A transaction that you opened with `pg`, Kysely, Drizzle, Prisma or Knex, for `app.within`. It stays yours: nothing here
 * begins, commits or rolls back, no statement is prepared under a name, and one statement is sent at a time. Any other library:
 * give `app.within` an object `{ dialect: 'postgres', execute: async (sql, values) => ({ rows }) }` of your own.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` for what is not a transaction: a pool, a database
 *
 * @example
 * await db.transaction().execute(async (trx) => {
 *   await trx.insertInto('orders').values({ id, status: 'placed' }).execute()
 *   await app.within(join(trx), (ctx) => ctx.publish(OrderPlaced({ orderId: id })))
 * })
 */
export function join(transaction: OpenTransaction): SqlConnection {
  const execute = executeOf(transaction)
  return {
    dialect: 'postgres',
    execute: async (sql, values): Promise<SqlResult> => ({ rows: rowsOf(await execute(sql, values)) }),
  }
}

function executeOf(transaction: OpenTransaction): Execute {
  const given = transaction as unknown as Readonly<Record<string, unknown>> | null
  const has = (name: string) => typeof given?.[name] === 'function'
  if (has('$queryRawUnsafe')) {
    if (has('$connect')) throw notOpen('the tx of prisma.$transaction(async (tx) => …)')
    const tx = transaction as PrismaTransaction
    return (sql, values) => tx.$queryRawUnsafe(sql, ...values)
  }
  if (has('executeQuery')) {
    if (given?.isTransaction !== true) throw notOpen('the trx of db.transaction().execute(async (trx) => …)')
    return kysely(transaction as KyselyTransaction)
  }
  if (has('raw')) {
    if (given?.isTransaction !== true) throw notOpen('the trx of knex.transaction(async (trx) => …)')
    return knex(transaction as KnexTransaction)
  }
  if (has('execute')) {
    if (!has('rollback')) throw notOpen('the tx of db.transaction(async (tx) => …)')
    return drizzle(transaction as DrizzleTransaction)
  }
  if (has('query') && !('totalCount' in (given as object))) {
    const client = transaction as PgTransaction
    return (text, values) => client.query({ text, values: [...values] })
  }
  throw notOpen('a client of pg on which BEGIN was run, or the transaction of Kysely, Drizzle, Prisma or Knex')
}

/** Plugins would rename what comes back. */
function kysely(transaction: KyselyTransaction): Execute {
  const bare = transaction.withoutPlugins()
  return (sql, parameters) => {
    const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] }
    return bare.executeQuery({ sql, parameters, query, queryId: { queryId: 'obverse' } } as never)
  }
}

/** What `sql` of Drizzle makes is a text and its parameters by the time it is run; this is one from the start. */
function drizzle(transaction: DrizzleTransaction): Execute {
  return (sql, params) => {
    const query = { getSQL: () => query, toQuery: () => ({ sql, params }) }
    return transaction.execute(query as never)
  }
}

/** Knex knows parameters by their order, not by number. */
function knex(transaction: KnexTransaction): Execute {
  return (sql, values) => {
    const bindings: unknown[] = []
    const text = sql.replace(/\$(\d+)/g, (_, number: string) => {
      bindings.push(values[Number(number) - 1])
      return '?'
    })
    return transaction.raw(text, bindings)
  }
}

/** Some drivers answer with the rows alone. */
function rowsOf(answer: unknown): readonly Row[] {
  const rows = Array.isArray(answer) ? answer : (answer as Answer | undefined)?.rows
  return (rows ?? []) as readonly Row[]
}

function notOpen(wanted: string): ObverseError {
  return new ObverseError('CONFIGURATION_INVALID', `join() was given no open transaction; give it ${wanted}`)
}
