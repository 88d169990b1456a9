// A transaction of the application, opened with each library that join() knows.
import { existsSync } from 'node:fs'
import { join as path } from 'node:path'
import { pathToFileURL } from 'node:url'
import { drizzle } from 'drizzle-orm/node-postgres'
import knex from 'knex'
import { CamelCasePlugin, CompiledQuery, Kysely, PostgresDialect } from 'kysely'
import type { SqlConnection } from 'obverse'
import { join, type OpenTransaction } from 'obverse/postgres'
import pg from 'pg'

/** One way to open transactions; statements of the test go through the library as well. */
export interface Door {
  /** Rolls back what throws. */
  transaction<T>(work: (tx: SqlConnection, run: (sql: string) => Promise<unknown>) => Promise<T>): Promise<T>
  /** What is no transaction, although it runs statements. */
  readonly outside: OpenTransaction
  close(): Promise<void>
}

export interface DoorKind {
  readonly name: string
  /** Why it cannot be opened here. */
  readonly missing?: string
  open(url: string): Door | Promise<Door>
}

const WIDE = 70

function throughPg(url: string): Door {
  const pool = new pg.Pool({ connectionString: url, max: WIDE })
  return {
    async transaction(work) {
      const client = await pool.connect()
      try {
        await client.query('BEGIN')
        const result = await work(join(client), (sql) => client.query(sql))
        await client.query('COMMIT')
        return result
      } catch (error) {
        await client.query('ROLLBACK')
        throw error
      } finally {
        client.release()
      }
    },
    outside: pool as never,
    close: () => pool.end(),
  }
}

/** Its plugin renames what comes back, as many applications have it. */
function throughKysely(url: string): Door {
  const dialect = new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: WIDE }) })
  const db = new Kysely<Record<string, never>>({ dialect, plugins: [new CamelCasePlugin()] })
  return {
    transaction: (work) =>
      db.transaction().execute((trx) => work(join(trx), (sql) => trx.executeQuery(CompiledQuery.raw(sql)))),
    outside: db as never,
    close: () => db.destroy(),
  }
}

function throughDrizzle(url: string): Door {
  const pool = new pg.Pool({ connectionString: url, max: WIDE })
  const db = drizzle(pool)
  return {
    transaction: (work) => db.transaction((tx) => work(join(tx), async (sql) => tx.execute(sql))),
    outside: db as never,
    close: () => pool.end(),
  }
}

function throughKnex(url: string): Door {
  const db = knex({ client: 'pg', connection: url, pool: { min: 0, max: WIDE } })
  return {
    transaction: (work) => db.transaction((trx) => work(join(trx), async (sql) => trx.raw(sql))),
    outside: db as never,
    close: () => db.destroy(),
  }
}

/**
 * A folder with a generated client. Its packages have 300 MB, so they are no part of this one:
 *
 *     npm i prisma@7 @prisma/client@7 @prisma/adapter-pg@7
 *     schema.prisma: generator client { provider = "prisma-client" output = "./generated" }, datasource db { provider =
 *     "postgresql" } and any model; prisma.config.ts that names it
 *     npx prisma generate      # PRISMA_SCHEMA_ENGINE_BINARY=/bin/true where that engine cannot be had: this needs none
 */
const prisma = process.env.OBVERSE_TEST_PRISMA

async function throughPrisma(url: string): Promise<Door> {
  const load = (file: string) => import(pathToFileURL(path(prisma as string, file)).href)
  const { PrismaClient } = await load('generated/client.ts')
  const { PrismaPg } = await load('node_modules/@prisma/adapter-pg/dist/index.mjs')
  const client = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: WIDE }, schemaOf(url)) })
  const patience = { maxWait: 20_000, timeout: 20_000 }
  return {
    transaction: (work) =>
      client.$transaction(
        (tx: { $executeRawUnsafe(sql: string): Promise<unknown> }) =>
          work(join(tx as never), (sql) => tx.$executeRawUnsafe(sql)),
        patience,
      ),
    outside: client,
    close: () => client.$disconnect(),
  }
}

function schemaOf(url: string): { schema?: string } {
  const schema = /search_path=(\w+)/.exec(new URL(url).searchParams.get('options') ?? '')?.[1]
  return schema ? { schema } : {}
}

export const doors: readonly DoorKind[] = [
  { name: 'pg', open: throughPg },
  { name: 'kysely', open: throughKysely },
  { name: 'drizzle', open: throughDrizzle },
  { name: 'knex', open: throughKnex },
  {
    name: 'prisma',
    open: throughPrisma,
    ...(!(prisma && existsSync(path(prisma, 'generated/client.ts'))) && {
      missing: 'OBVERSE_TEST_PRISMA names no folder with a generated Prisma client',
    }),
  },
]
