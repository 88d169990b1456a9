import type { OpenStore, Settlement, StoreEnvironment } from 'obverse'
import type { Pool } from 'pg'
import { Alarms } from './alarms.ts'
import { QueueBroker } from './broker.ts'
import { checkpoints } from './checkpoint.ts'
import { deadLetters } from './dead-letter.ts'
import { Entrance } from './entry.ts'
import type { Environment } from './environment.ts'
import { Streams } from './event-store.ts'
import { examine } from './examine.ts'
import { HandlerTransactions } from './handler-transaction.ts'
import { health } from './health.ts'
import { heldRows } from './held.ts'
import { HeldClaims } from './held-claims.ts'
import { inbox } from './inbox.ts'
import { Joining } from './joining.ts'
import { Line } from './line.ts'
import { log } from './log.ts'
import { Looks } from './looks.ts'
import { schemaControl } from './migrate.ts'
import type { Settings } from './options.ts'
import { outbox } from './outbox.ts'
import { Owners } from './owners.ts'
import { sessions as connect } from './pool.ts'
import { positions } from './positions.ts'
import { statuses } from './status.ts'
import { PostgresTransactions } from './transactions.ts'
import { Units } from './units.ts'
import { PostgresViews } from './view.ts'
import { Wake } from './wake.ts'

/** Reaches the server once, so that a wrong address is told now, and puts the ports together. */
export async function open(
  source: string | Pool,
  settings: Settings,
  { runtime, registry }: StoreEnvironment,
): Promise<OpenStore> {
  const sessions = connect(source, settings)
  const listeners = new Set<() => void>()
  const tellOwn = () => {
    for (const listener of listeners) listener()
  }
  const wake = new Wake(sessions, runtime, settings, tellOwn)
  const [reader, writer, committing] = [new Line(sessions), new Line(sessions), new Line(sessions)]
  const environment: Environment = {
    runtime,
    registry,
    settings,
    sessions,
    reader,
    writer,
    news() {
      tellOwn()
      wake.tell()
    },
  }
  try {
    await reader.connection()
  } catch (error) {
    await sessions.close()
    throw error
  }
  const claims = new HeldClaims()
  const owners = new Owners(environment, (owner) => claims.removeOwner(owner))
  const broker = new QueueBroker(environment, owners, () => wake.start())
  const settled = (settlement: Settlement) => broker.settled(settlement)
  const entrance = new Entrance(environment, claims)
  const views = new PostgresViews(environment)
  const alarms = new Alarms(environment)
  const streams = new Streams(environment)
  const units = new Units(environment, entrance, committing)
  const handlers = new HandlerTransactions(environment, entrance, views)
  listeners.add(() => broker.wake())

  let closing: Promise<void> | undefined
  const close = async () => {
    await broker.close()
    await units.settled()
    await wake.stop()
    await owners.close()
    await Promise.all([reader.close(), writer.close(), committing.close()])
    await sessions.close()
  }
  return {
    events: streams,
    transactions: new PostgresTransactions(
      environment,
      new Looks(environment, entrance),
      streams,
      units,
      handlers,
      new Joining(environment, entrance, views),
      ({ delivery: { settlement, heldId } = {} }, lost) => {
        if (settlement) settled(settlement)
        // of what was lost nothing has ended, and it may have been claimed anew meanwhile
        if (heldId !== undefined && !lost) claims.remove(heldId)
      },
    ),
    outbox: outbox(environment, owners),
    positions: positions(environment),
    inbox: inbox(environment, settled),
    held: heldRows(environment, claims, owners, settled),
    deadLetters: deadLetters(environment),
    statuses: statuses(environment),
    log: log(environment),
    checkpoints: checkpoints(environment),
    views,
    broker,
    schema: schemaControl(environment),
    health: () => health(environment, alarms),
    examine: () => examine(environment, alarms),
    alarms: () => alarms.look(),
    onCommit(listener) {
      const own = () => listener()
      listeners.add(own)
      wake.start()
      return () => listeners.delete(own)
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}
