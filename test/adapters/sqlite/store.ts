// A store in a file for one test, and messages to put in it.
import {
  bodyOf,
  command,
  completeBody,
  createRegistry,
  type Delivery,
  event,
  type NewEvent,
  type NewMessage,
  type OpenStore,
  outgoing,
  type Registry,
  type Runtime,
  readEnvelope,
  rootMetadata,
  type SqlConnection,
  systemRuntime,
  type Unit,
  unchecked,
} from 'obverse'
import { type SqliteOptions, sqlite } from 'obverse/sqlite'

export const Happened = event('test.happened', unchecked<{ n: number }>(), { key: (e) => String(e.n) })
export const Do = command('test.do', unchecked<{ n: number }>())
export const registry: Registry = createRegistry([Happened, Do])

export interface OpenOptions extends SqliteOptions {
  readonly runtime?: Runtime
  readonly migrated?: boolean
}

/** Opened, its tables made. */
export async function openStore(file: string, options: OpenOptions = {}): Promise<OpenStore> {
  const { runtime = systemRuntime, migrated = true, ...rest } = options
  const store = await sqlite(file, rest).open({ runtime, registry, relayed: false })
  if (migrated) await store.schema.migrate([])
  return store
}

/** The machine's runtime, counting commits. */
export function countingRuntime(): Runtime & { commits: number } {
  const runtime = {
    ...systemRuntime,
    commits: 0,
    reach: (point: string) => {
      if (point === 'commit.after') runtime.commits += 1
    },
  }
  return runtime
}

export function fact(key: string, n = 1, channels: readonly string[] = []): NewEvent {
  return made({ type: Happened.type, kind: 'event', data: { n } }, key, channels) as NewEvent
}

export function order(key: string | null, n = 1): NewMessage {
  return { message: made({ type: Do.type, kind: 'command', data: { n } }, key, ['work']), tracked: true }
}

export function unit(events: readonly NewEvent[] = [], more: Partial<Unit> = {}): Unit {
  return { events, messages: [], ...more }
}

/** A delivery of a message that came from elsewhere. */
export function arrival(key: string, more: Partial<Delivery> = {}): Delivery {
  const body = completeBody(bodyOf(fact(key)), 1)
  return { envelope: readEnvelope(body), body, channel: 'work', handler: 'h', ordered: true, attempts: 0, ...more }
}

export const NOTES = 'CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)'

export async function makeNotes(store: OpenStore): Promise<void> {
  await store.schema.migrate([{ name: 'notes', up: async (c) => void (await c.execute(NOTES, [])) }])
}

export function note(connection: SqlConnection, text: string): Promise<unknown> {
  return connection.execute('INSERT INTO note (text) VALUES (?)', [text])
}

/** The notes that are committed. */
export async function notes(store: OpenStore): Promise<readonly unknown[]> {
  let found: readonly unknown[] = []
  await store.transactions.transact({ name: 'notes' }, async (tx) => {
    const { rows } = await tx.connection().execute('SELECT text FROM note ORDER BY id', [])
    found = rows.map(({ text }) => text)
    return unit()
  })
  return found
}

function made(
  message: { type: string; kind: 'event' | 'command'; data: unknown },
  key: string | null,
  channels: readonly string[],
) {
  const id = systemRuntime.id()
  return outgoing(message, message.kind === 'event' ? Happened : Do, {
    id,
    time: new Date(systemRuntime.now()).toISOString(),
    key,
    metadata: rootMetadata(id),
    channels,
  })
}
