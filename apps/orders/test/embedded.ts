import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { temporaryFolder } from '../../../test/processes.ts'
import { Installation, type Json } from './installation.ts'

/** On one data file, in a folder of its own. */
export class EmbeddedInstallation extends Installation {
  readonly stack = 'embedded'
  readonly missing = undefined
  readonly folder = temporaryFolder('orders')
  readonly env: Readonly<Record<string, string>>

  constructor(env: Readonly<Record<string, string>> = {}) {
    super()
    this.env = { ...env, DATA_DIR: this.folder.path }
  }

  async rows(query: string, ...parameters: string[]): Promise<Json[]> {
    return this.#sql((database) => database.prepare(query).all(...parameters))
  }

  async moneyTypes(): Promise<readonly string[]> {
    const query = 'SELECT typeof(total_cents) AS t FROM orders UNION SELECT typeof(price_cents) FROM order_items'
    return (await this.rows(query)).map(({ t }) => t)
  }

  async accepted(): Promise<readonly string[]> {
    const query = "SELECT key FROM obverse_event WHERE type = 'order.created' ORDER BY position DESC"
    return (await this.rows(query)).map(({ key }) => key)
  }

  /** The outbox is the queue. */
  async waiting(channel = 'orders_events'): Promise<number> {
    return (await this.rows('SELECT count(*) AS n FROM obverse_queue WHERE channel = ?', channel))[0].n
  }

  async emptyQueue(channel = 'orders_events'): Promise<void> {
    this.#sql((database) => database.prepare('DELETE FROM obverse_queue WHERE channel = ?').run(channel))
  }

  async wipeReadStore(): Promise<void> {
    const views = await this.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'obverse_view%'")
    if (views.length === 0) throw new Error('There is no table of a view')
    this.#sql((database) => {
      for (const { name } of views) database.exec(`DELETE FROM "${name}"`)
    })
  }

  protected async close(): Promise<void> {
    this.folder.remove()
  }

  #sql<T>(use: (database: DatabaseSync) => T): T {
    const database = new DatabaseSync(join(this.folder.path, 'orders.db'), { timeout: 5_000 })
    try {
      return use(database)
    } finally {
      database.close()
    }
  }
}
