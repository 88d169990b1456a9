// A process that opens and migrates the store named by its first argument, and says what it applied.
import { openStore } from './store.ts'

const store = await openStore(process.argv[2] ?? '', { migrated: false })
const steps = ['001-first', '002-second', '003-third'].map((name, number) => ({
  name,
  up: async (c: { execute(sql: string, values: readonly unknown[]): Promise<unknown> }) => {
    await c.execute(`CREATE TABLE made_${number} (a INTEGER); INSERT INTO made_${number} VALUES (1)`, [])
  },
}))
console.log(`applied ${JSON.stringify(await store.schema.migrate(steps))}`)
await store.close()
