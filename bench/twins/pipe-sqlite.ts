import { DatabaseSync } from 'node:sqlite'

const BATCH = 100
const OWNER = 'twin'

// A consumer by hand on the same file with the same indexes: each batch is claimed in one transaction, and marked as handled and
// taken away in another. One statement for each table of a batch.

const CLAIM = `INSERT INTO obverse_claim (id, channel, owner, key)
  SELECT id, channel, '${OWNER}', key FROM obverse_queue INDEXED BY obverse_queue_ready
  WHERE channel = 'orders' AND due IS NULL AND retry_at IS NULL ORDER BY id LIMIT ${BATCH}`
const BODIES = 'SELECT body FROM obverse_claim JOIN obverse_queue USING (id) ORDER BY id'
const MARK = `INSERT INTO obverse_inbox (message_id, handler, at)
  SELECT message_id, 'orders.placed', ? FROM obverse_claim JOIN obverse_queue USING (id) ORDER BY id`
const REMOVE = 'DELETE FROM obverse_queue WHERE id IN (SELECT id FROM obverse_claim)'
const UNCLAIM = 'DELETE FROM obverse_claim'

/** Nobody else takes rows of the file. */
export function sqliteConsumer(file: string) {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000')
  const [begin, commit] = [database.prepare('BEGIN IMMEDIATE'), database.prepare('COMMIT')]
  const [claim, bodies, mark] = [database.prepare(CLAIM), database.prepare(BODIES), database.prepare(MARK)]
  const [remove, unclaim] = [database.prepare(REMOVE), database.prepare(UNCLAIM)]
  return {
    /** Takes everything that is there. Resolves with how many messages it had. */
    async consume(handler: (message: unknown) => void): Promise<number> {
      for (let handled = 0; ; ) {
        begin.run()
        const claimed = Number(claim.run().changes)
        const rows = bodies.all() as { body: string }[]
        commit.run()
        if (claimed === 0) return handled
        for (const { body } of rows) handler(JSON.parse(body))
        begin.run()
        mark.run(Date.now())
        remove.run()
        unclaim.run()
        commit.run()
        handled += claimed
      }
    },
    close: () => database.close(),
  }
}
