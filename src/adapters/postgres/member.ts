import type { Answer, Entry, Outcome, Placed, Unit } from 'obverse'
import { conflictOf } from './append.ts'
import type { Entrance } from './entry.ts'
import { claimName, type Standing } from './standing.ts'
import type { Writes } from './writes.ts'

/** One unit of work on its way into a commit. */
export interface Member {
  readonly entry: Entry
  /** Absent: only the entry is checked, and what it ends with is settled. */
  readonly unit?: Unit
  /** In place of a unit: the work refused, and this is repeated to whoever asks again. */
  readonly keep?: Answer
}

/**
 * Decides one member by what is known under the locks, and gathers what it writes. Throws what the member fails with, and
 * has written nothing then. `undefined`: its entry is clear, and there was no unit.
 */
export function admit(
  { entry, unit, keep }: Member,
  entrance: Entrance,
  standing: Standing,
  seqs: Map<string, number>,
  writes: Writes,
  versions: boolean,
): Outcome | undefined {
  const passage = entrance.check(entry, standing)
  if (passage.ended) {
    entrance.pass(passage, standing)
    writes.passage(passage)
    return passage.ended
  }
  const { claim } = entry
  if (!unit) {
    // a refusal keeps its answer and nothing else: for a delivery, whoever holds it writes
    if (keep && claim && entrance.keepsAnswers) writes.answer(claim, keep)
    return undefined
  }
  for (const [key, version] of unit.expected ?? []) {
    const at = seqs.get(key) ?? 0
    if (versions && at !== version) throw conflictOf(key, at, version)
  }
  const own = new Map<string, number>()
  const placed = unit.events.map(({ type, key }): Placed => {
    const seq = (own.get(key) ?? seqs.get(key) ?? 0) + 1
    own.set(key, seq)
    return { type, key, seq }
  })
  const answer = claim && entrance.keepsAnswers ? unit.answer?.(placed) : undefined
  // nothing throws from here on: whoever comes after goes on from these
  for (const [key, seq] of own) seqs.set(key, seq)
  entrance.pass(passage, standing)
  writes.passage(passage)
  for (const [index, event] of unit.events.entries()) writes.event(event, (placed[index] as Placed).seq)
  for (const message of unit.messages) writes.message(message)
  if (unit.snapshot) writes.snapshot(unit.snapshot)
  if (unit.cancel) writes.cancel(unit.cancel)
  if (claim && answer) {
    writes.answer(claim, answer)
    standing.answers.set(claimName(claim), {
      ...answer,
      fingerprint: claim.fingerprint,
    })
  }
  if (entry.tracked && entry.delivery) writes.done(entry.delivery.envelope.id, unit.result)
  return committed(unit, placed)
}

export function committed({ result }: Unit, events: readonly Placed[]): Outcome {
  return { kind: 'committed', events, ...(result !== undefined && { result }) }
}

/** Events of one key, the first of which comes after `base`. */
export function committedFrom(unit: Unit, base: number): Outcome {
  return committed(
    unit,
    unit.events.map(({ type, key }, at) => ({ type, key, seq: base + at + 1 })),
  )
}
