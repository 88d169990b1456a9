import { ALONE, SHARED } from './ledger/handlers.ts'
import type { Op } from './ledger/messages.ts'
import { bucketOf, VIEWS, type ViewName } from './ledger/views.ts'
import type { Sql } from './sql.ts'
import type { Stage, ViewRow } from './stack.ts'

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
  /** Rows and messages that should be gone: queued, owned, held, attempts, owners; and some of them. */
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
  readonly stage: Stage
  /** What the senders were told. */
  readonly answered: ReadonlyMap<string, number>
  /** Everything that was ever tried. */
  readonly sent: ReadonlyMap<string, Op>
}

export async function audit({ stage, answered, sent }: Audited): Promise<Findings> {
  const { store } = stage
  const leftRows = await left(stage)
  const ledger = await store.all<Row>('SELECT op_id, key, number, amount FROM ledger ORDER BY place')
  const effects = await store.all<Row>('SELECT handler, op_id, key, number FROM effects ORDER BY place')
  const bodies = await store.all<{ data: string }>(EVENTS[store.dialect])
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
    traces.flatMap((trace) => [...trace.keys()].filter((opId) => sent.get(opId)?.doomed ?? !sent.has(opId))).length +
    [...written.keys()].filter((opId) => !told.has(opId)).length +
    [...applied.values(), told].flatMap((trace) => [...trace.keys()].filter((opId) => !written.has(opId))).length
  return {
    lost,
    appliedTwice: traces.reduce((sum, trace) => sum + excess(trace), 0),
    appliedTwiceAlone: excess(alone ?? new Map()),
    ghosts,
    outOfOrder: inversions(effects) + gaps(ledger) + gaps(events.map((one) => ({ ...one, handler: 'log', op_id: '' }))),
    wrongRows: await wrongRows(stage, events),
    left: leftRows.length,
    leftRows: leftRows.slice(0, 10),
  }
}

const EVENTS: Readonly<Record<Sql['dialect'], string>> = {
  sqlite: 'SELECT data FROM obverse_event ORDER BY position',
  postgres: 'SELECT e.data FROM obverse_event e LEFT JOIN obverse_position p USING (number) ORDER BY p.position',
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

async function wrongRows(stage: Stage, events: readonly Event[]): Promise<number> {
  const byKey = folded(events, ({ key }) => key)
  const byBucket = folded(events, ({ amount }) => bucketOf(amount))
  const expected: Readonly<Record<ViewName, ReadonlyMap<string, string>>> = {
    by_channel: byKey,
    by_log: byKey,
    gathered: byBucket,
  }
  const views = await Promise.all(VIEWS.map((name) => stage.view(name)))
  return VIEWS.reduce((sum, name, place) => sum + differences(views[place] ?? [], expected[name]), 0)
}

function folded(events: readonly Event[], nameOf: (event: Event) => string): Map<string, string> {
  const sums = new Map<string, { count: number; total: number }>()
  for (const event of events) {
    const { count, total } = sums.get(nameOf(event)) ?? { count: 0, total: 0 }
    sums.set(nameOf(event), { count: count + 1, total: total + event.amount })
  }
  return new Map([...sums].map(([name, { count, total }]) => [name, `${count} ${total}`]))
}

function differences(rows: readonly ViewRow[], expected: ReadonlyMap<string, string>): number {
  const actual = new Map(rows.map(({ id, count, total }) => [id, `${count} ${total}`]))
  return [...new Set([...expected.keys(), ...actual.keys()])].filter((id) => expected.get(id) !== actual.get(id)).length
}

const QUEUE_ROWS = ['obverse_queue', 'obverse_owner']
const STORE_ROWS: Readonly<Record<Sql['dialect'], readonly string[]>> = {
  sqlite: ['obverse_attempt', "obverse_held WHERE state <> 'skipped'"],
  postgres: ['obverse_attempt', "obverse_held WHERE state <> 'skipped'", 'obverse_claim', 'obverse_unstamped'],
}

async function left({ store, queues, waiting }: Stage): Promise<readonly string[]> {
  const inQueues = await Promise.all(queues.flatMap((sql) => QUEUE_ROWS.map((from) => rowsOf(sql, from))))
  const inStore = await Promise.all(STORE_ROWS[store.dialect].map((from) => rowsOf(store, from)))
  const inBroker = [...(await waiting())].flatMap(([queue, count]) => Array<string>(count).fill(`queue ${queue}`))
  return [...inQueues.flat(), ...inStore.flat(), ...inBroker]
}

async function rowsOf(sql: Sql, from: string): Promise<readonly string[]> {
  const rows = await sql.all(`SELECT * FROM ${from}`)
  return rows.map((row) => `${from} ${JSON.stringify(row).slice(0, 400)}`)
}
