import {
  bodyOf,
  completeBody,
  type Entry,
  envelopesOf,
  type InlineRows,
  isoTime,
  ObverseError,
  type Outcome,
  type Outgoing,
  type Placed,
  type Unit,
} from 'obverse'
import type { Connection } from './connection.ts'
import type { EntryCheck } from './entry.ts'
import { type Environment, guards } from './environment.ts'
import { cancelMessage, statusDone, trackMessage } from './status.ts'

export const SEQ = 'SELECT seq FROM obverse_key WHERE key = ?'
const NEXT_SEQ = `INSERT INTO obverse_key (key, seq) VALUES (?, 1) ON CONFLICT DO UPDATE SET seq = seq + 1 RETURNING seq`
const SET_SEQ = 'INSERT INTO obverse_key (key, seq) VALUES (?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq'
const APPEND = `INSERT INTO obverse_event
  (id, type, schema_version, key, seq, time, correlation_id, causation_id, data, metadata)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
const ENQUEUE = `INSERT INTO obverse_queue (channel, message_id, key, command, at, due, body) VALUES (?, ?, ?, ?, ?, ?, ?)`
const SNAPSHOT = `INSERT INTO obverse_snapshot (name, key, version, seq, state) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET version = excluded.version, seq = excluded.seq, state = excluded.state`

/** What a decision has loaded in the same transaction, so that it need not be asked again. */
export interface Known {
  readonly key: string
  readonly version: number
}

/** Writes a unit with prepared statements, inside whatever transaction is open. */
export class UnitWriter {
  readonly #environment: Environment
  readonly #entries: EntryCheck
  readonly #rows: InlineRows
  readonly #oneCommit: boolean
  readonly #versions: boolean
  /** Canary: outbox rows that are written in a commit of their own. */
  readonly #later: (() => void)[] = []

  constructor(environment: Environment, entries: EntryCheck, rows: InlineRows) {
    this.#environment = environment
    this.#entries = entries
    this.#rows = rows
    this.#oneCommit = guards(environment, 'one-commit')
    this.#versions = guards(environment, 'expected-version')
  }

  /** Synchronous unless an inline view is not. */
  apply(c: Connection, entry: Entry, unit: Unit, known?: Known): Outcome | Promise<Outcome> {
    const now = this.#environment.runtime.now()
    const seqs = this.#expect(c, unit, known)
    const placed: Placed[] = []
    for (const event of unit.events) {
      const seq = this.#nextSeq(c, event.key, seqs)
      const position = c.insert(
        APPEND,
        event.id,
        event.type,
        event.schemaVersion,
        event.key,
        seq,
        event.time,
        event.correlationId,
        event.causationId,
        event.data,
        event.metadata,
      )
      placed.push({ type: event.type, key: event.key, seq, position })
      if (event.channels.length > 0) this.#enqueue(c, event, 0, completeBody(bodyOf(event), seq, position), now)
    }
    if (seqs) for (const [key, seq] of seqs) c.run(SET_SEQ, key, seq)
    for (const { message, tracked } of unit.messages) {
      this.#enqueue(c, message, 1, bodyOf(message), now)
      if (tracked) trackMessage(c, message, isoTime(now))
    }
    if (unit.cancel) for (const id of unit.cancel) cancelMessage(c, id, isoTime(now))
    if (unit.snapshot) {
      const { name, key, version, seq, state } = unit.snapshot
      c.run(SNAPSHOT, name, key, version, seq, JSON.stringify(state))
    }
    if (entry.claim && unit.answer) this.#entries.keep(c, entry.claim, unit.answer(placed))
    if (entry.tracked && entry.delivery) statusDone(c, entry.delivery.envelope.id, unit.result, isoTime(now))
    const outcome: Outcome = {
      kind: 'committed',
      events: placed,
      ...(unit.result !== undefined && { result: unit.result }),
    }
    if (!unit.project || placed.length === 0) return outcome
    const projected = unit.project(envelopesOf(unit.events, placed, this.#environment.registry), this.#rows)
    return projected ? projected.then(() => outcome) : outcome
  }

  /** Canary: what was left out of the commit. */
  writeLater(): void {
    if (this.#later.length === 0) return
    for (const write of this.#later.splice(0)) void this.#environment.writer.submit(write)
  }

  /** Compares expected versions; returns the seqs it has read, which the events go on from. */
  #expect(c: Connection, { expected }: Unit, known: Known | undefined): Map<string, number> | undefined {
    if (!expected) return known && new Map([[known.key, known.version]])
    const seqs = new Map<string, number>()
    for (const [key, version] of expected) {
      const at = known?.key === key ? known.version : (c.get<{ seq: number }>(SEQ, key)?.seq ?? 0)
      if (this.#versions && at !== version) {
        throw new ObverseError(
          'CONFLICT',
          `${JSON.stringify(key)} is at version ${at}, not ${version}: somebody else changed it; load it again and decide anew`,
        )
      }
      seqs.set(key, at)
    }
    return seqs
  }

  #nextSeq(c: Connection, key: string, seqs: Map<string, number> | undefined): number {
    const at = seqs?.get(key)
    if (at === undefined) return (c.get<{ seq: number }>(NEXT_SEQ, key) as { seq: number }).seq
    seqs?.set(key, at + 1)
    return at + 1
  }

  #enqueue(c: Connection, message: Outgoing, command: 0 | 1, body: string, now: number): void {
    const write = () => {
      for (const channel of message.channels) {
        c.run(ENQUEUE, channel, message.id, message.key, command, now, message.due ?? null, body)
      }
    }
    if (this.#oneCommit) write()
    else this.#later.push(write)
  }
}

/** A row that somebody puts there by hand, or that goes back to its channel. */
export function enqueueBody(
  c: Connection,
  channel: string,
  messageId: string,
  key: string | null,
  body: string,
  now: number,
): void {
  c.run(ENQUEUE, channel, messageId, key, 0, now, null, body)
}
