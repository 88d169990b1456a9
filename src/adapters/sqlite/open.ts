import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Entry, ObverseError, type OpenStore, type Runtime, type StoreEnvironment, sleep } from 'obverse'
import { QueueBroker } from './broker.ts'
import { checkpoints } from './checkpoint.ts'
import { type Connection, connectReader, connectWriter } from './connection.ts'
import { deadLetters } from './dead-letter.ts'
import { EntryCheck } from './entry.ts'
import type { Environment } from './environment.ts'
import { busy, isBusy, storeError } from './errors.ts'
import { eventStore } from './event-store.ts'
import { health } from './health.ts'
import { heldRows } from './held.ts'
import { HeldClaims } from './held-claims.ts'
import { inbox } from './inbox.ts'
import { log } from './log.ts'
import { appliedSteps, assertNotNewer, schemaControl } from './migrate.ts'
import type { Settings } from './options.ts'
import { outbox } from './outbox.ts'
import { Owners } from './owners.ts'
import { Reader } from './reader.ts'
import { statuses } from './status.ts'
import { Tables } from './tables.ts'
import { SqliteTransactions } from './transactions.ts'
import { UnitWriter } from './unit.ts'
import { SqliteViews } from './view.ts'
import { Wake } from './wake.ts'
import { Writer } from './writer.ts'

/** Opens the file and puts the ports together. */
export async function open(
  file: string,
  settings: Settings,
  { runtime, registry }: StoreEnvironment,
): Promise<OpenStore> {
  const connection = await connect(file, settings, runtime)
  const writer = new Writer(connection, file, runtime, settings.lockTimeout)
  const reader = new Reader(readerFor(file, connection), writer)
  const environment: Environment = { runtime, registry, settings, writer, reader }

  const claims = new HeldClaims()
  const owners = new Owners(environment, (owner) => claims.removeOwner(owner))
  const wake = new Wake(environment, file)
  const broker = new QueueBroker(environment, owners, () => wake.start())
  const settled = ({ settlement, heldId }: Pick<NonNullable<Entry['delivery']>, 'settlement' | 'heldId'>) => {
    if (settlement) broker.settled(settlement)
    if (heldId !== undefined) claims.remove(heldId)
  }
  const entries = new EntryCheck(environment, claims)
  const views = new SqliteViews(environment)
  const tables = new Tables(connection)
  const transactions = new SqliteTransactions(
    environment,
    entries,
    new UnitWriter(environment, entries, views),
    tables,
    ({ delivery }) => delivery && settled(delivery),
  )
  const listeners = new Set<() => void>()
  writer.onNews = () => {
    for (const listener of listeners) listener()
  }
  const onCommit: OpenStore['onCommit'] = (listener) => {
    const own = () => listener()
    listeners.add(own)
    wake.start()
    return () => listeners.delete(own)
  }
  listeners.add(() => broker.wake())

  let closing: Promise<void> | undefined
  return {
    events: eventStore(environment),
    transactions,
    outbox: outbox(environment, owners),
    inbox: inbox(environment, (settlement) => broker.settled(settlement)),
    held: heldRows(environment, claims, owners, settled),
    deadLetters: deadLetters(environment),
    statuses: statuses(environment),
    log: log(environment),
    checkpoints: checkpoints(environment),
    views,
    broker,
    schema: schemaControl(environment, tables),
    health: () => health(environment),
    onCommit,
    close: () => {
      closing ??= close(environment, wake, broker, owners)
      return closing
    },
  }
}

async function close({ writer, reader }: Environment, wake: Wake, broker: QueueBroker, owners: Owners): Promise<void> {
  wake.stop()
  try {
    await broker.close()
    await owners.close()
  } finally {
    await writer.close()
    reader.close()
    // fails while others read; the last to close does it then
    if (writer.file !== ':memory:') writer.connection.db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    writer.connection.close()
  }
}

/** Several processes may start at once on a new file: making it a WAL file needs it alone for a moment. */
async function connect(file: string, { synchronous, lockTimeout }: Settings, runtime: Runtime): Promise<Connection> {
  makeFolder(file)
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

function makeFolder(file: string): void {
  if (file === ':memory:') return
  try {
    mkdirSync(dirname(file), { recursive: true })
  } catch (cause) {
    throw new ObverseError(
      'STORE_UNREACHABLE',
      `The folder of ${file} cannot be made (${(cause as Error).message}); check the path and its permissions`,
      { cause },
    )
  }
}
