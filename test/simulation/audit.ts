import type { DeadLetter, EventEnvelope } from 'obverse'
import type { AtRest } from 'obverse/testing'
import { bucketOf, type Surroundings } from './ledger.ts'
import type { Memory } from './memory.ts'
import { type Done, type Numbered, type Reminding, type Sum, SumOf, VIEWS, type ViewName } from './messages.ts'

type Event<D> = EventEnvelope & { readonly data: D }

/** Compares all that is there with a plain reading of the log, and with what clients remember. */
export async function audit(rest: AtRest, memory: Memory, { due }: Surroundings): Promise<readonly string[]> {
  const { events } = await rest.store.log.after(0, 100_000)
  const entered = ofType<Numbered>(events, 'ledger.entered')
  const applied = ofType<Done>(events, 'ledger.applied')
  const dead = await rest.store.deadLetters.list({ limit: 1_000 })
  return [
    ...inOrder(events),
    ...commandsOnce(entered, memory),
    ...effectsOnce(entered, applied, dead, memory),
    ...reminders(events, applied, rest, due),
    ...innocents(dead, memory),
    ...reads(entered, memory),
    ...(await notes(events, rest, memory)),
    ...(await rows(entered, applied, dead, rest)),
  ]
}

function ofType<D>(events: readonly EventEnvelope[], type: string): readonly Event<D>[] {
  return events.filter((event) => event.type === type) as readonly Event<D>[]
}

/** Positions without a gap, and every key in its order. */
function inOrder(events: readonly EventEnvelope[]): readonly string[] {
  const found: string[] = []
  const last = new Map<string, number>()
  for (const [at, { position, key, seq }] of events.entries()) {
    if (position !== at + 1) found.push(`the log has ${position} at place ${at + 1}`)
    if (seq !== (last.get(key) ?? 0) + 1) found.push(`the log has ${key} ${seq} after ${last.get(key) ?? 0}`)
    last.set(key, seq)
  }
  return found
}

function commandsOnce(entered: readonly Event<Numbered>[], { ops, answered }: Memory): readonly string[] {
  const found: string[] = []
  const counts = countBy(entered, ({ data }) => data.opId)
  for (const opId of answered) if (!counts.has(opId)) found.push(`${opId} was answered and is not in the log`)
  for (const [opId, count] of counts) {
    if (!ops.has(opId)) found.push(`${opId} is in the log and was never sent`)
    if (count > 1) found.push(`${opId} is in the log ${count} times`)
  }
  const numbers = new Map<string, number>()
  for (const { data } of entered) {
    const number = (numbers.get(data.key) ?? 0) + 1
    numbers.set(data.key, number)
    if (data.number !== number)
      found.push(`${data.opId} of ${data.key} has the number ${data.number}, and is the ${number}th`)
  }
  return found
}

/** Every event once for every handler, in order; none behind a dead letter; none that was given up. */
function effectsOnce(
  entered: readonly Event<Numbered>[],
  applied: readonly Event<Done>[],
  dead: readonly DeadLetter[],
  { skipped }: Memory,
): readonly string[] {
  const found: string[] = []
  for (const lane of ['alone', 'shared']) {
    const handler = `apply@${lane}`
    const of = applied.filter(({ data }) => data.lane === lane)
    const counts = countBy(of, ({ data }) => data.opId)
    const stops = new Map<string, number>()
    for (const letter of dead) {
      if (letter.handler === handler) stops.set(letter.key as string, dataOf<Numbered>(letter).number)
    }
    for (const { data } of entered) {
      const count = counts.get(data.opId) ?? 0
      const parked = data.number >= (stops.get(data.key) ?? Number.POSITIVE_INFINITY)
      const wanted = parked || skipped.has(`${handler} ${data.opId}`) ? 0 : 1
      if (count !== wanted)
        found.push(`${handler} has ${count} effects of ${data.opId} (${data.key} ${data.number}), not ${wanted}`)
    }
    const last = new Map<string, number>()
    for (const { data } of of) {
      if (data.number < (last.get(data.key) ?? 0))
        found.push(`${handler} had ${data.key} ${data.number} after ${last.get(data.key)}`)
      last.set(data.key, data.number)
    }
  }
  return found
}

/** Each once, and not before its time; clocks that were wrong allow no word on that. */
function reminders(
  events: readonly EventEnvelope[],
  applied: readonly Event<Done>[],
  { faults }: AtRest,
  due: ReadonlyMap<string, number>,
): readonly string[] {
  const found: string[] = []
  const reminded = ofType<Reminding>(events, 'ledger.reminded')
  const counts = countBy(reminded, ({ data }) => data.opId)
  for (const { data } of applied) {
    if (data.lane !== 'shared') continue
    const count = counts.get(data.opId) ?? 0
    if (count !== 1) found.push(`${data.opId} was reminded of ${count} times`)
  }
  if (faults.skews > 0) return found
  for (const { data } of reminded) {
    const early = (due.get(data.reminder) ?? 0) - data.at
    if (early > 0) found.push(`${data.opId} was reminded of ${early} ms too early`)
  }
  return found
}

/** Only what fails by itself is given up; what ends its process is hard to tell from what was there when it ended. */
function innocents(dead: readonly DeadLetter[], { ops }: Memory): readonly string[] {
  return dead.flatMap((letter) => {
    const { opId } = dataOf<Partial<Numbered>>(letter)
    const op = opId === undefined ? undefined : ops.get(opId)
    if (op === undefined || letter.code === 'CRASH_LOOP') return []
    return op.poison && letter.handler === 'apply@alone'
      ? []
      : [`${opId} was given up by ${letter.handler}: ${letter.code} ${letter.reason}`]
  })
}

/** What was read after a write has the write in it. */
function reads(entered: readonly Event<Numbered>[], { reads: all }: Memory): readonly string[] {
  const numbers = new Map(entered.map(({ data }) => [data.opId, data.number]))
  return all.flatMap(({ view, opId, count }) => {
    const number = numbers.get(opId) ?? 0
    return count >= number ? [] : [`${view} was read after ${opId}, the ${number}th of its key, and had ${count}`]
  })
}

async function notes(events: readonly EventEnvelope[], { store }: AtRest, memory: Memory): Promise<readonly string[]> {
  const found: string[] = []
  const counts = countBy(ofType<{ noteId: string }>(events, 'ledger.noted'), ({ data }) => data.noteId)
  for (const [noteId, { messageId, fails, cancels }] of memory.notes) {
    const count = counts.get(noteId) ?? 0
    const state = (await store.statuses.get(messageId))?.state
    if (cancels && state === 'cancelled') {
      if (count > 0) found.push(`${noteId} was called off, and noted ${count} times`)
      continue
    }
    const wanted = count === 1 ? 'done' : 'failed'
    if (count > 1) found.push(`${noteId} was noted ${count} times`)
    if (state !== wanted) found.push(`${noteId} was noted ${count} times and is ${state}`)
    if (fails === (count === 1))
      found.push(`${noteId} ${fails ? 'was to fail' : 'was not to fail'} and was noted ${count} times`)
  }
  return found
}

/** Views are a fold of the log, but for keys that a dead letter of their projection stops. */
async function rows(
  entered: readonly Event<Numbered>[],
  applied: readonly Event<Done>[],
  dead: readonly DeadLetter[],
  { client }: AtRest,
): Promise<readonly string[]> {
  const found: string[] = []
  const byKey = fold(entered, ({ key, amount }) => [key, amount])
  const folds = new Map<ViewName, ReadonlyMap<string, Sum>>([
    ['gathered', fold(entered, ({ amount }) => [bucketOf(amount), amount])],
    ['tally', fold(applied, ({ lane, number }) => [lane, number])],
  ])
  const stopped = new Set(dead.map(({ handler, key }) => `${handler} ${key}`))
  for (const view of VIEWS) {
    for (const [name, sum] of folds.get(view) ?? byKey) {
      if (stopped.has(`${PROJECTIONS[view]} ${name}`)) continue
      const row = await client.operate(`look at ${view}`, (app) => app.ask(SumOf({ view, name })))
      if (row?.count !== sum.count || row?.total !== sum.total)
        found.push(`${view} has ${JSON.stringify(row)}, and the log ${JSON.stringify(sum)}`)
    }
  }
  return found
}

const PROJECTIONS: Readonly<Record<ViewName, string>> = {
  by_channel: 'by-channel',
  by_log: 'by-log',
  at_once: 'at-once',
  apart: 'apart',
  gathered: 'gathered',
  tally: 'tally',
}

function fold<D>(events: readonly Event<D>[], of: (data: D) => readonly [string, number]): ReadonlyMap<string, Sum> {
  const sums = new Map<string, Sum>()
  for (const { data } of events) {
    const [name, amount] = of(data)
    const { count, total } = sums.get(name) ?? { count: 0, total: 0 }
    sums.set(name, { name, count: count + 1, total: total + amount })
  }
  return sums
}

export function dataOf<D>({ body }: DeadLetter): D {
  return (JSON.parse(body) as { data: D }).data
}

function countBy<T>(all: readonly T[], nameOf: (one: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const one of all) counts.set(nameOf(one), (counts.get(nameOf(one)) ?? 0) + 1)
  return counts
}
