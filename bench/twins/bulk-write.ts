import { DatabaseSync } from 'node:sqlite'
import { MongoClient } from 'mongodb'
import pg from 'pg'

/** A document with the guard that makes it exact: of which key it is, and how far it has come. */
export interface Document {
  readonly id: string
  readonly key: string
  readonly mark: number
  /** Of {@link BulkWriter.write}: every field is stored, `status` is looked up. */
  readonly data: { readonly id: string; readonly status: string; readonly [field: string]: unknown }
}

export interface BulkWriter {
  /** A new table or collection, indexed. */
  begin(): Promise<void>
  write(documents: readonly Document[]): Promise<void>
  close(): Promise<void>
}

/** One transaction of prepared upserts for each batch. Table and index are those of a view of ours. */
export function bulkSqlite(file: string): BulkWriter {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  const [begin, commit] = [database.prepare('BEGIN IMMEDIATE'), database.prepare('COMMIT')]
  let tables = 0
  let upsert = begin
  return {
    async begin() {
      tables += 1
      const table = `rows_${tables}`
      database.exec(`CREATE TABLE ${table} (
        id TEXT PRIMARY KEY, key TEXT, mark INTEGER NOT NULL, data TEXT, status ANY) STRICT`)
      database.exec(`CREATE INDEX ${table}_status ON ${table} (status, id) WHERE data IS NOT NULL`)
      upsert = database.prepare(`INSERT INTO ${table} (id, key, mark, data, status) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET mark = excluded.mark, data = excluded.data, status = excluded.status
        WHERE excluded.mark > mark AND excluded.key = key`)
    },
    async write(documents) {
      begin.run()
      for (const { id, key, mark, data } of documents) upsert.run(id, key, mark, JSON.stringify(data), data.status)
      commit.run()
    },
    async close() {
      database.close()
    },
  }
}

/** One prepared upsert by unnest for each batch, rows sorted by id. Table and index are those of a view of ours. */
export async function bulkPostgres(url: string): Promise<BulkWriter> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  let tables = 0
  return {
    async begin() {
      tables += 1
      await client.query(`CREATE TABLE rows_${tables} (
        id text COLLATE "C" PRIMARY KEY, whole text COLLATE "C", key text COLLATE "C", mark bigint NOT NULL, data json,
        live boolean NOT NULL, status text COLLATE "C" NOT NULL) WITH (fillfactor = 70)`)
      await client.query(`CREATE INDEX ON rows_${tables} (status, id) WHERE live`)
    },
    async write(documents) {
      const sorted = documents.toSorted((a, b) => (a.id < b.id ? -1 : 1))
      await client.query({
        name: `bulk-${tables}`,
        text: `INSERT INTO rows_${tables} AS t (id, key, mark, data, live, status)
          SELECT n.id, n.key, n.mark, n.data, true, n.status
          FROM unnest($1::text[], $2::text[], $3::bigint[], $4::json[], $5::text[]) AS n(id, key, mark, data, status)
          ON CONFLICT (id) DO UPDATE SET mark = excluded.mark, data = excluded.data, live = true, status = excluded.status
          WHERE t.mark < excluded.mark AND t.key = excluded.key RETURNING id`,
        values: [
          sorted.map(({ id }) => id),
          sorted.map(({ key }) => key),
          sorted.map(({ mark }) => mark),
          sorted.map(({ data }) => JSON.stringify(data)),
          sorted.map(({ data }) => data.status),
        ],
      })
    },
    close: () => client.end(),
  }
}

/** The driver's unordered bulkWrite of documents that it knows to be new. They and the index are those of a view of ours. */
export async function bulkMongodb(url: string): Promise<BulkWriter> {
  const client = new MongoClient(url)
  await client.connect()
  let collections = 0
  const collection = () => client.db().collection<{ readonly _id: string }>(`twin_${collections}`)
  return {
    async begin() {
      collections += 1
      const live = { partialFilterExpression: { '_obverse.live': true } }
      await collection().createIndex({ '_obverse.by.status': 1, _id: 1 }, live)
    },
    async write(documents) {
      await collection().bulkWrite(
        documents.map(({ id, key, mark, data }) => ({
          insertOne: {
            document: { _id: id, ...data, _obverse: { key, mark, live: true, by: { status: data.status } } },
          },
        })),
        { ordered: false },
      )
    },
    close: () => client.close(),
  }
}
