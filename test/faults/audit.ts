import { DatabaseSync } from 'node:sqlite'
import { ALONE, SHARED } from './ledger/handlers.ts'
import type { Op } from './ledger/messages.ts'
import { bucketOf } from './ledger/views.ts'

/** What is wrong, counted from the rows by plain code that uses nothing of the toolkit. */
export interface Findings {
  /** Answered operations of which the state, the event or an effect is missing. */
  readonly lost: number
  readonly appliedTwice: number
  /** The same, of the handler whose own transaction settles its messages. */
  readonly appliedTwiceAlone: number
  /** Effects, events or state that no sent operation explains, or one without the other. */
  readonly ghosts: number
  /** Effects of a key that are not in the order of its numbers, and numbers that do not count 1, 2, 3 … */
  readonly outOfOrder: number
  /** Rows of views that differ from a plain fold of the events. */
  readonly wrongRows: number
  /** Rows that should be gone: queued, owned, held, attempts, owners; and some of them. */
  readonly left: number
  readonly leftRows: readonly string[]
}

interface Row {
  readonly handler: string
  readonly op_id: string
  readonly key: string
  readonly number: number
}

interface Event {
  readonly opId: string
  readonly key: string
  readonly number: number
  readonly amount: number
}

export interface Audited {
  readonly file: string
  readonly queues: string | undefined
  /** What the senders were told. */
  readonly answered: ReadonlyMap<string, number>
  /** Everything that was ever tried. */
  readonly sent: ReadonlyMap<string, Op>
}

export function audit({ file, queues, answered, sent }: Audited): Findings {
  const inBroker = queues === undefined ? [] : inFile(queues, (db) => leftIn(db, BROKER_ROWS))
  return inFile(file, (store) => {
    const leftRows = [...leftIn(store, STORE_ROWS), ...inBroker]
    const ledger = store
      .prepare('SELECT op_id, key, number, amount FROM ledger ORDER BY place')
      .all() as unknown as Row[]
    const effects = store
      .prepare('SELECT handler, op_id, key, number FROM effects ORDER BY place')
      .all() as unknown as Row[]
    const bodies = store.prepare('SELECT data FROM obverse_event ORDER BY position').all() as { data: string }[]
    const events = bodies.map(({ data }) => JSON.parse(data) as Event)
    const written = counted(ledger.map((row) => row.op_id))
    const told = counted(events.map((event) => event.opId))
    const applied = new Map([ALONE, SHARED].map((channel) => [`apply@${channel}`, new Map<string, number>()]))
    for (const { handler, op_id } of effects) add(applied.get(handler) ?? new Map(), op_id)

    const traces = [written, told, ...applied.values()]
    const alone = applied.get(`apply@${ALONE}`)
    // a poisoned message ends as a dead letter of the one handler that it poisons, and is looked for there
    const expected = (opId: string) => (sent.get(opId)?.poison ? traces.filter((trace) => trace !== alone) : traces)
    const lost = [...answered.keys()].flatMap((opId) => expected(opId).filter((trace) => !trace.has(opId))).length
    const wrongAnswers = ledger.filter(({ op_id, number }) => answered.has(op_id) && answered.get(op_id) !== number)
    const ghosts =
      wrongAnswers.length +
      traces.flatMap((trace) => [...trace.keys()].filter((opId) => !sent.has(opId))).length +
      [...written.keys()].filter((opId) => !told.has(opId)).length +
      [...applied.values(), told].flatMap((trace) => [...trace.keys()].filter((opId) => !written.has(opId))).length
    return {
      lost,
      appliedTwice: traces.reduce((sum, trace) => sum + excess(trace), 0),
      appliedTwiceAlone: excess(alone ?? new Map()),
      ghosts,
      outOfOrder:
        inversions(effects) + gaps(ledger) + gaps(events.map((one) => ({ ...one, handler: 'log', op_id: '' }))),
      wrongRows: wrongRows(store, events),
      left: leftRows.length,
      leftRows: leftRows.slice(0, 10),
    }
  })
}

function counted(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const id of ids) add(counts, id)
  return counts
}

function add(counts: Map<string, number>, id: string): void {
  counts.set(id, (counts.get(id) ?? 0) + 1)
}

function excess(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count - 1, 0)
}

/** Effects whose number is not above the one before, of the same handler and key. */
function inversions(effects: readonly Row[]): number {
  const last = new Map<string, number>()
  let count = 0
  for (const { handler, key, number } of effects) {
    const lane = `${handler} ${key}`
    if (number < (last.get(lane) ?? 0)) count += 1
    last.set(lane, number)
  }
  return count
}

function gaps(rows: readonly Pick<Row, 'key' | 'number'>[]): number {
  const last = new Map<string, number>()
  let count = 0
  for (const { key, number } of rows) {
    if (number !== (last.get(key) ?? 0) + 1) count += 1
    last.set(key, number)
  }
  return count
}

function wrongRows(store: DatabaseSync, events: readonly Event[]): number {
  const byKey = folded(events, ({ key }) => key)
  const byBucket = folded(events, ({ amount }) => bucketOf(amount))
  return (
    differences(store, 'by_channel', byKey) +
    differences(store, 'by_log', byKey) +
    differences(store, 'gathered', byBucket)
  )
}

function folded(events: readonly Event[], nameOf: (event: Event) => string): Map<string, string> {
  const sums = new Map<string, { count: number; total: number }>()
  for (const event of events) {
    const { count, total } = sums.get(nameOf(event)) ?? { count: 0, total: 0 }
    sums.set(nameOf(event), { count: count + 1, total: total + event.amount })
  }
  return new Map([...sums].map(([name, { count, total }]) => [name, `${count} ${total}`]))
}

function differences(store: DatabaseSync, view: string, expected: ReadonlyMap<string, string>): number {
  const sql = `SELECT id, data ->> 'count' AS count, data ->> 'total' AS total FROM obverse_view_${view}_1
    WHERE data IS NOT NULL AND data ->> 'name' IS NOT NULL`
  const rows = store.prepare(sql).all() as { id: string; count: number; total: number }[]
  const actual = new Map(rows.map(({ id, count, total }) => [id, `${count} ${total}`]))
  return [...new Set([...expected.keys(), ...actual.keys()])].filter((id) => expected.get(id) !== actual.get(id)).length
}

const BROKER_ROWS = ['obverse_queue', 'obverse_owner']
const STORE_ROWS = [...BROKER_ROWS, 'obverse_attempt', "obverse_held WHERE state <> 'skipped'"]

/** Rows by table, of those that have any. */
function leftIn(file: DatabaseSync, tables: readonly string[]): readonly string[] {
  return tables.flatMap((from) => {
    const rows = file.prepare(`SELECT * FROM ${from}`).all()
    return rows.map((row) => `${from} ${JSON.stringify(row).slice(0, 400)}`)
  })
}

function inFile<T>(file: string, look: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    return look(db)
  } finally {
    db.close()
  }
}
