import type { Kind } from './name.ts'

const PATIENCE = 3_000

/** The version of the server behind a URL; rejects with what its driver says when it does not answer within seconds. */
export function probe(kind: Kind, url: string): Promise<string> {
  return PROBES[kind](url)
}

// Drivers are loaded when they are needed: most runs need one, and none when servers run already.
const PROBES: Readonly<Record<Kind, (url: string) => Promise<string>>> = {
  async postgres(url) {
    const { Client } = (await import('pg')).default
    const client = new Client({ connectionString: url, connectionTimeoutMillis: PATIENCE })
    client.on('error', () => {})
    try {
      await client.connect()
      const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
      return rows[0]?.server_version.split(' ')[0] ?? 'unknown'
    } finally {
      await client.end().catch(() => {})
    }
  },

  async rabbitmq(url) {
    const { connect } = await import('amqplib')
    const model = await connect(url, { timeout: PATIENCE, noDelay: true })
    model.on('error', () => {})
    const { version } = model.connection.serverProperties
    await model.close()
    return String(version ?? 'unknown')
  },

  async mongodb(url) {
    const { MongoClient } = await import('mongodb')
    const client = new MongoClient(url, { serverSelectionTimeoutMS: PATIENCE, connectTimeoutMS: PATIENCE })
    try {
      const { version } = await client.db('admin').command({ buildInfo: 1 })
      return String(version)
    } finally {
      await client.close()
    }
  },
}
