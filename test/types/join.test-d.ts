// What join() takes, by the types of the libraries themselves.
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { Knex } from 'knex'
import type { ControlledTransaction, Kysely, Transaction } from 'kysely'
import type { SqlConnection } from 'obverse'
import { join, type OpenTransaction } from 'obverse/postgres'
import type { Client, Pool, PoolClient } from 'pg'
import { describe, expectTypeOf, test } from 'vitest'

interface Tables {
  orders: { id: string; status: string }
}

type DrizzleTx = Parameters<Parameters<NodePgDatabase['transaction']>[0]>[0]

/** As `prisma generate` writes them: an interactive transaction is the client without what would leave it. */
interface PrismaClient {
  $connect(): Promise<void>
  $disconnect(): Promise<void>
  $executeRawUnsafe(query: string, ...values: unknown[]): Promise<number>
  $queryRawUnsafe<T = unknown>(query: string, ...values: unknown[]): Promise<T>
  readonly order: { findMany(): Promise<readonly object[]> }
}
type PrismaTx = Omit<PrismaClient, '$connect' | '$disconnect'>

describe('join', () => {
  test('takes the transactions of pg, Kysely, Drizzle, Knex and Prisma', () => {
    expectTypeOf<PoolClient>().toExtend<OpenTransaction>()
    expectTypeOf<Client>().toExtend<OpenTransaction>()
    expectTypeOf<Transaction<Tables>>().toExtend<OpenTransaction>()
    expectTypeOf<ControlledTransaction<Tables>>().toExtend<OpenTransaction>()
    expectTypeOf<DrizzleTx>().toExtend<OpenTransaction>()
    expectTypeOf<Knex.Transaction>().toExtend<OpenTransaction>()
    expectTypeOf<PrismaTx>().toExtend<OpenTransaction>()
    expectTypeOf(join).returns.toEqualTypeOf<SqlConnection>()
  })

  test('takes nothing that runs statements outside of one', () => {
    expectTypeOf<Pool>().not.toExtend<OpenTransaction>()
    expectTypeOf<Kysely<Tables>>().not.toExtend<OpenTransaction>()
    expectTypeOf<NodePgDatabase>().not.toExtend<OpenTransaction>()
    expectTypeOf<Knex>().not.toExtend<OpenTransaction>()
    expectTypeOf<PrismaClient>().not.toExtend<OpenTransaction>()
  })
})
