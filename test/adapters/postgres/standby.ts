// A standby as far as the server can tell: it streams the log and reports the oldest row version that its queries need.
import pg from 'pg'

export interface Standby {
  /** Reports that a query here needs everything from that transaction on; 0: nothing. */
  needs(xmin: number): void
  end(): Promise<void>
}

interface Wire {
  once(event: string, listener: () => void): void
  sendCopyFromChunk(chunk: Buffer): void
}

/** Streams from a slot, or without one. */
export async function standby(url: string, name: string, slot?: string): Promise<Standby> {
  const client = new pg.Client({
    connectionString: url,
    replication: 'true',
    application_name: name,
  } as pg.ClientConfig)
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query<{ xlogpos: string }>('IDENTIFY_SYSTEM')
  const wire = (client as unknown as { connection: Wire }).connection
  const started = new Promise<void>((resolve) => wire.once('replicationStart', resolve))
  client.query(`START_REPLICATION ${slot ? `SLOT "${slot}" ` : ''}PHYSICAL ${rows[0]?.xlogpos}`).catch(() => {})
  await started
  return {
    needs(xmin) {
      const report = Buffer.alloc(25)
      report.write('h')
      report.writeUInt32BE(xmin, 9)
      wire.sendCopyFromChunk(report)
    },
    end: () => client.end(),
  }
}
