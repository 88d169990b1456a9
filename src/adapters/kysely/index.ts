import {
  type CompiledQuery,
  type ConnectionProvider,
  type DatabaseConnection,
  type DatabaseIntrospector,
  DefaultQueryExecutor,
  type Dialect,
  type DialectAdapter,
  type Driver,
  Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { ObverseError, type SqlConnection, type TableBinding } from 'obverse'

/**
 * Types `ctx.db` of a handler as Kysely over the application's tables, bound to the handler's transaction: what it
 * writes commits with the events and messages of the handler, or not at all. The same handler runs on SQLite,
 * PostgreSQL and MySQL.
 *
 * `ctx.db.transaction()` is refused: the handler is in its transaction already.
 *
 * @example
 * const create = handle(CreateOrder, { db: tables<Tables>() }, async (c, ctx) => {
 *   await ctx.db.insertInto('orders').values({ id: c.id, status: 'pending' }).execute()
 *   ctx.publish(OrderCreated(c))
 * })
 */
export function tables<DB>(): TableBinding<Kysely<DB>> {
  return { bind: (connection) => bind<DB>(connection) }
}

/**
 * A Kysely on a connection of Obverse: for migrations, which are given one. Cheap: adapters and compilers are made
 * once for each dialect.
 *
 * @example
 * const first: Migration = { name: '001-orders', up: async (connection) => {
 *   await bind<Tables>(connection).schema.createTable('orders').addColumn('id', 'text').execute()
 * } }
 */
export function bind<DB>(connection: SqlConnection): Kysely<DB> {
  const { adapter, compiler } = dialects[connection.dialect]
  const bound = new BoundConnection(connection)
  const provider: ConnectionProvider = { provideConnection: (consumer) => consumer(bound) }
  const executor = new DefaultQueryExecutor(compiler, adapter, provider)
  const dialect = new BoundDialect(connection.dialect, bound)
  return new Kysely<DB>({ config: { dialect }, executor, dialect, driver: dialect.createDriver() })
}

interface Parts {
  readonly adapter: DialectAdapter
  readonly compiler: QueryCompiler
  readonly introspect: (db: Kysely<unknown>) => DatabaseIntrospector
}

const dialects: Readonly<Record<SqlConnection['dialect'], Parts>> = {
  sqlite: {
    adapter: new SqliteAdapter(),
    compiler: new SqliteQueryCompiler(),
    introspect: (db) => new SqliteIntrospector(db),
  },
  postgres: {
    adapter: new PostgresAdapter(),
    compiler: new PostgresQueryCompiler(),
    introspect: (db) => new PostgresIntrospector(db),
  },
  mysql: {
    adapter: new MysqlAdapter(),
    compiler: new MysqlQueryCompiler(),
    introspect: (db) => new MysqlIntrospector(db),
  },
}

class BoundConnection implements DatabaseConnection {
  readonly #connection: SqlConnection

  constructor(connection: SqlConnection) {
    this.#connection = connection
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes, lastInsertId } = await this.#connection.execute(sql, parameters)
    return {
      rows: rows as R[],
      ...(changes !== undefined && { numAffectedRows: changes }),
      ...(lastInsertId !== undefined && { insertId: lastInsertId }),
    }
  }

  /** All rows at once: a cursor would keep the writing turn for as long as its reader likes. */
  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query)
  }
}

class BoundDialect implements Dialect {
  readonly #name: SqlConnection['dialect']
  readonly #bound: BoundConnection

  constructor(name: SqlConnection['dialect'], bound: BoundConnection) {
    this.#name = name
    this.#bound = bound
  }

  createAdapter(): DialectAdapter {
    return dialects[this.#name].adapter
  }

  createQueryCompiler(): QueryCompiler {
    return dialects[this.#name].compiler
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return dialects[this.#name].introspect(db)
  }

  createDriver(): Driver {
    return new BoundDriver(this.#bound)
  }
}

/** Opens, closes and begins nothing: all that belongs to the store. */
class BoundDriver implements Driver {
  readonly #bound: BoundConnection

  constructor(bound: BoundConnection) {
    this.#bound = bound
  }

  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#bound
  }
  async beginTransaction(): Promise<void> {
    throw refused()
  }
  async commitTransaction(): Promise<void> {
    throw refused()
  }
  async rollbackTransaction(): Promise<void> {}
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}

function refused(): ObverseError {
  return new ObverseError(
    'CONFIGURATION_INVALID',
    'ctx.db.transaction() inside a handler: everything a handler writes is in one transaction already, so leave it out',
  )
}
