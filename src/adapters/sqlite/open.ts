import type { Entry, OpenStore, StoreEnvironment } from 'obverse'
import { UnitWriter } from './append.ts'
import { QueueBroker } from './broker.ts'
import { checkpoints } from './checkpoint.ts'
import { deadLetters } from './dead-letter.ts'
import { EntryCheck } from './entry.ts'
import type { Environment } from './environment.ts'
import { eventStore } from './event-store.ts'
import { health } from './health.ts'
import { heldRows } from './held.ts'
import { HeldClaims } from './held-claims.ts'
import { inbox } from './inbox.ts'
import { log } from './log.ts'
import { schemaControl } from './migrate.ts'
import { closeFile, openFile } from './open-file.ts'
import type { Settings } from './options.ts'
import { outbox } from './outbox.ts'
import { heldTakings, Owners, queueTakings } from './owners.ts'
import { statuses } from './status.ts'
import { Tables } from './tables.ts'
import { SqliteTransactions } from './transactions.ts'
import { SqliteViews } from './view.ts'
import { Wake } from './wake.ts'

/** Opens the file and puts the ports together. */
export async function open(
  file: string,
  settings: Settings,
  { runtime, registry }: StoreEnvironment,
): Promise<OpenStore> {
  const environment: Environment = { ...(await openFile(file, settings, runtime)), registry }
  const { writer } = environment

  const claims = new HeldClaims()
  const owners = new Owners(environment, [queueTakings, heldTakings], (owner) => claims.removeOwner(owner))
  const wake = new Wake(environment, file)
  const broker = new QueueBroker(environment, owners, () => wake.start())
  const settled = (
    { settlement, heldId }: Pick<NonNullable<Entry['delivery']>, 'settlement' | 'heldId'>,
    lost = false,
  ) => {
    if (settlement) broker.settled(settlement)
    // of what was lost nothing was ended, and it may have been claimed anew meanwhile
    if (heldId !== undefined && !lost) claims.remove(heldId)
  }
  const entries = new EntryCheck(environment, claims)
  const views = new SqliteViews(environment)
  const tables = new Tables(writer.connection)
  const transactions = new SqliteTransactions(
    environment,
    entries,
    new UnitWriter(environment, entries, views),
    tables,
    ({ delivery }, lost) => delivery && settled(delivery, lost),
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
      closing ??= closeFile(environment, wake, broker, owners)
      return closing
    },
  }
}
