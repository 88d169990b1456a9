import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** What goes wrong in the file of an application, and by what finding it is known. */
export const MISTAKES = {
  lost: {
    sql: 'AFTER INSERT ON obverse_held WHEN NEW.id % 10 = 0 BEGIN DELETE FROM obverse_held WHERE id = NEW.id; END',
    finding: /messages are no dead letter/,
  },
  changed: {
    sql: "AFTER INSERT ON obverse_held WHEN NEW.id % 10 = 0 BEGIN UPDATE obverse_held SET body = body || ' ' WHERE id = NEW.id; END",
    finding: /bytes that nobody put there/,
  },
  mute: {
    sql: "AFTER INSERT ON obverse_held BEGIN UPDATE obverse_held SET reason = '' WHERE id = NEW.id; END",
    finding: /without a reason/,
  },
  swallowed: {
    sql: "AFTER INSERT ON obverse_queue WHEN NEW.body LIKE '%John Doe%' BEGIN DELETE FROM obverse_queue WHERE id = NEW.id; END",
    finding: /a good message was not handled/,
  },
} as const satisfies Record<string, { sql: string; finding: RegExp }>

/** Plants a mistake in the data file of an application. */
export function plant(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, 'orders.db'), { timeout: 5_000 })
  database.exec(`CREATE TRIGGER planted ${sql}`)
  database.close()
}
