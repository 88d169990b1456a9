import type { Migration } from 'obverse'
import { tables } from 'obverse/kysely'
import type { Tables } from './tables.ts'

// Portable SQL by Kysely's schema builder: the same steps make the tables in SQLite, PostgreSQL and MySQL.

const ordersAndItems: Migration = {
  name: '001-orders',
  async up(connection) {
    const { schema } = tables<Tables>().bind(connection)
    await schema
      .createTable('orders')
      .addColumn('id', 'varchar(36)', (column) => column.primaryKey())
      .addColumn('customer_name', 'varchar(255)', (column) => column.notNull())
      .addColumn('customer_email', 'varchar(320)', (column) => column.notNull())
      .addColumn('status', 'varchar(20)', (column) => column.notNull())
      .addColumn('total_cents', 'bigint', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'varchar(30)', (column) => column.notNull())
      .addColumn('updated_at', 'varchar(30)')
      .execute()
    await schema
      .createTable('order_items')
      .addColumn('order_id', 'varchar(36)', (column) => column.notNull())
      .addColumn('position', 'integer', (column) => column.notNull())
      .addColumn('product', 'varchar(255)', (column) => column.notNull())
      .addColumn('quantity', 'integer', (column) => column.notNull())
      .addColumn('price_cents', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('order_items_pk', ['order_id', 'position'])
      .addForeignKeyConstraint('order_items_order', ['order_id'], 'orders', ['id'])
      .execute()
  },
}

const mailLog: Migration = {
  name: '002-mail-log',
  async up(connection) {
    await tables<Tables>()
      .bind(connection)
      .schema.createTable('mail_log')
      .addColumn('message_id', 'varchar(36)', (column) => column.primaryKey())
      .addColumn('order_id', 'varchar(36)', (column) => column.notNull())
      .addColumn('recipient', 'varchar(320)', (column) => column.notNull())
      .addColumn('sent_at', 'varchar(30)', (column) => column.notNull())
      .execute()
  },
}

export const migrations: readonly Migration[] = [ordersAndItems, mailLog]
