import { type Answer, type Entry, ObverseError, type Outcome, type Placed, type Unit } from 'obverse'
import { claimName, settle } from './entry.ts'
import { readEvent } from './event-table.ts'
import { InlineViews } from './inline-views.ts'
import type { Instance } from './instance.ts'
import type { StoredEvent } from './rows.ts'
import { acceptStatus, cancelMessage, finishStatus } from './status.ts'

/**
 * Applies a unit. Whatever may fail comes first (expected versions, the answer, inline views); what follows cannot, so
 * there is nothing to roll back. `drawn`: insertion ids that were drawn earlier.
 */
export function applyUnit(
  instance: Instance,
  entry: Entry,
  unit: Unit,
  drawn: readonly number[],
): Outcome | Promise<Outcome> {
  checkExpected(instance, unit)
  const placed = place(instance, unit)
  const answer = entry.claim && unit.answer?.(placed)
  if (!unit.project) return write(instance, entry, unit, drawn, placed, answer)
  const views = new InlineViews(instance)
  const { registry } = instance.environment
  const events = placed.map(({ seq, position }, at) =>
    readEvent(unit.events[at] as Unit['events'][number], seq, position, registry),
  )
  const finish = () => {
    views.apply()
    return write(instance, entry, unit, drawn, placed, answer)
  }
  const projected = unit.project(events, views)
  return projected instanceof Promise ? projected.then(finish) : finish()
}

function checkExpected(instance: Instance, { expected }: Unit): void {
  if (!expected || instance.lacks('expected-version')) return
  for (const [key, version] of expected) {
    const current = instance.data.events.version(key)
    if (current === version) continue
    throw new ObverseError(
      'CONFLICT',
      `${JSON.stringify(key)} is at version ${current}, not ${version}: somebody else changed it; load it and try again`,
    )
  }
}

/** Where the events will be, as long as nobody else commits. */
function place({ data }: Instance, { events }: Unit): readonly Placed[] {
  const log = data.events
  const added = events.length > 1 ? new Map<string, number>() : undefined
  return events.map(({ type, key }, at) => {
    const before = added?.get(key) ?? 0
    added?.set(key, before + 1)
    const seq = log.version(key) + before + 1
    return log.relay ? { type, key, seq } : { type, key, seq, position: log.committed.length + at + 1 }
  })
}

function write(
  instance: Instance,
  entry: Entry,
  unit: Unit,
  drawn: readonly number[],
  placed: readonly Placed[],
  answer: Answer | undefined,
): Outcome {
  const { data } = instance
  const log = data.events
  const stored = unit.events.map((event, at) => log.append(event, drawn[at] ?? log.draw()))
  if (unit.snapshot) {
    const { name, key, version, seq, state } = unit.snapshot
    data.snapshots.set(`${name}\n${key}`, { version, seq, state: JSON.stringify(state) })
  }
  if (answer && entry.claim) keepAnswer(instance, entry.claim, answer)
  if (entry.delivery) settleDelivery(instance, entry, unit)
  if (unit.cancel) for (const id of unit.cancel) cancelMessage(instance, id)
  const send = () => addRows(instance, unit, stored)
  if (instance.lacks('one-commit')) instance.unsent = send
  else send()
  data.notify()
  return { kind: 'committed', events: placed, ...(unit.result !== undefined && { result: unit.result }) }
}

function addRows(instance: Instance, unit: Unit, stored: readonly StoredEvent[]): void {
  const { data } = instance
  for (const event of stored) {
    for (const channel of event.message.channels) data.enqueue(channel, event.message, event, instance.now)
  }
  for (const { message, tracked } of unit.messages) {
    for (const channel of message.channels) data.enqueue(channel, message, undefined, instance.now)
    if (tracked) acceptStatus(instance, message)
  }
}

export function keepAnswer(instance: Instance, claim: NonNullable<Entry['claim']>, answer: Answer): void {
  const { fingerprint } = claim
  instance.data.claims.set(claimName(claim), { fingerprint, answer, at: instance.now })
}

function settleDelivery(instance: Instance, { delivery, tracked }: Entry, { result }: Unit): void {
  if (!delivery) return
  const { id } = delivery.envelope
  instance.data.marks.set(`${id}\n${delivery.handler}`, instance.now)
  settle(instance, delivery)
  if (tracked) finishStatus(instance, id, { state: 'done', ...(result !== undefined && { result }) })
}
