import type { Generated } from 'kysely'
import type { Migration } from 'obverse'
import { bind } from 'obverse/kysely'

/** Nothing here is unique: whatever happens twice must be there twice. */
export interface Tables {
  ledger: { place: Generated<number>; op_id: string; key: string; number: number; amount: number }
  /** `place` rises within a handler and a key as effects are committed. */
  effects: { place: Generated<number>; handler: string; op_id: string; key: string; number: number; amount: number }
}

export const migrations: readonly Migration[] = [
  {
    name: '001-ledger',
    async up(connection) {
      const { schema } = bind<Tables>(connection)
      const place = (name: string) =>
        connection.dialect === 'postgres'
          ? schema.createTable(name).addColumn('place', 'serial', (column) => column.primaryKey())
          : schema.createTable(name).addColumn('place', 'integer', (column) => column.primaryKey().autoIncrement())
      await place('ledger')
        .addColumn('op_id', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('number', 'integer', (column) => column.notNull())
        .addColumn('amount', 'integer', (column) => column.notNull())
        .execute()
      await schema.createIndex('ledger_key').on('ledger').columns(['key', 'number']).execute()
      await place('effects')
        .addColumn('handler', 'text', (column) => column.notNull())
        .addColumn('op_id', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('number', 'integer', (column) => column.notNull())
        .addColumn('amount', 'integer', (column) => column.notNull())
        .execute()
      await schema.createIndex('effects_op').on('effects').columns(['op_id', 'handler']).execute()
    },
  },
]
