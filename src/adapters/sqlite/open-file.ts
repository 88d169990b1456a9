import { type Runtime, sleep } from 'obverse'
import type { QueueBroker } from './broker.ts'
import { type Connection, connectReader, connectWriter } from './connection.ts'
import type { OpenFile } from './environment.ts'
import { busy, isBusy, storeError } from './errors.ts'
import { makeFolder } from './folder.ts'
import { appliedSteps, assertNotNewer } from './migrate.ts'
import type { Settings } from './options.ts'
import type { Owners } from './owners.ts'
import { Reader } from './reader.ts'
import type { Wake } from './wake.ts'
import { Writer } from './writer.ts'

/**
 * Opens a file, made if it is missing, with a connection that writes and one that reads.
 *
 * @throws {ObverseError} `STORE_UNREACHABLE`, `STORE_CORRUPT`, `STORE_BUSY`, `SCHEMA_OUTDATED`, each naming the file
 */
export async function openFile(file: string, settings: Settings, runtime: Runtime): Promise<OpenFile> {
  const connection = await connect(file, settings, runtime)
  const writer = new Writer(connection, file, runtime, settings.lockTimeout)
  return { runtime, settings, writer, reader: new Reader(readerFor(file, connection), writer) }
}

/** What runs on the file ends first, then what was taken is free again, then the connections go. */
export async function closeFile(
  { writer, reader }: OpenFile,
  wake: Wake,
  broker: Pick<QueueBroker, 'close'>,
  owners: Owners,
): Promise<void> {
  wake.stop()
  try {
    await broker.close()
    await owners.close()
  } finally {
    await writer.close()
    reader.close()
    if (writer.file !== ':memory:') tidy(writer.connection)
    writer.connection.close()
  }
}

/** What was committed is safe in the WAL file: a full disk, or others who read, leave it to the next to open or close. */
function tidy(connection: Connection): void {
  try {
    connection.db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch {
    // nothing is lost, and nobody could do anything about it now
  }
}

/** Several processes may start at once on a new file: making it a WAL file needs it alone for a moment. */
async function connect(file: string, { synchronous, lockTimeout }: Settings, runtime: Runtime): Promise<Connection> {
  if (file !== ':memory:') makeFolder(file)
  const since = runtime.elapsed()
  for (let pause = 1; ; pause = Math.min(pause * 2, 20)) {
    try {
      const connection = connectWriter(file, synchronous)
      checkUsable(connection, file)
      return connection
    } catch (error) {
      if (!isBusy(error)) throw storeError(error, file)
      if (runtime.elapsed() - since > lockTimeout) throw busy(file, error)
    }
    await sleep(runtime, pause + runtime.random() * pause)
  }
}

/** Fails now rather than with the first command: a file that cannot be written, or that a newer version has migrated. */
function checkUsable(connection: Connection, file: string): void {
  try {
    assertNotNewer(appliedSteps(connection), file)
    connection.db.exec('BEGIN IMMEDIATE; ROLLBACK')
  } catch (error) {
    if (isBusy(error)) return // somebody writes, so it can be written
    connection.close()
    throw error
  }
}

function readerFor(file: string, writer: Connection): Connection {
  if (file === ':memory:') return writer
  try {
    return connectReader(file)
  } catch (error) {
    writer.close()
    throw storeError(error, file)
  }
}
