import { type Claim, type Delivery, type Entry, ObverseError, type Outcome } from 'obverse'
import { type Environment, guards } from './environment.ts'
import type { HeldClaims } from './held-claims.ts'
import { claimName, nameOf, type Standing } from './standing.ts'

export type Ended = Exclude<Outcome, { kind: 'committed' }>

export const DUPLICATE: Ended = { kind: 'duplicate' }
export const HELD: Ended = { kind: 'held' }
export const LOST: Ended = { kind: 'lost' }

/** What the check of one entry has to write, should its unit be kept. */
export interface Passage {
  readonly ended?: Ended
  /** Settled with the commit. */
  readonly queueId?: number
  /** Taken from its lane. */
  readonly heldId?: number
  /** Its attempts are forgotten. */
  readonly delivery?: Delivery
  readonly mark?: true
  /** Joins its lane. */
  readonly join?: true
}

const THROUGH: Passage = {}

/**
 * What is checked before any work, in this order: settlement fence, inbox mark, held lane, idempotency claim. A pure
 * question to what {@link Standing} says; {@link Entrance.pass} then makes it true for those that come after.
 */
export class Entrance {
  readonly #claims: HeldClaims
  readonly #fenced: boolean
  readonly #inbox: boolean
  readonly #lanes: boolean
  readonly #answers: boolean

  constructor(environment: Environment, claims: HeldClaims) {
    this.#claims = claims
    this.#fenced = guards(environment, 'settlement-fence')
    this.#inbox = guards(environment, 'inbox')
    this.#lanes = guards(environment, 'held-lane')
    this.#answers = guards(environment, 'idempotency-claim')
  }

  /** @throws {ObverseError} `IDEMPOTENCY_MISMATCH` */
  check({ delivery, claim }: Entry, standing: Standing): Passage {
    const passage = delivery ? this.#deliver(delivery, standing) : THROUGH
    if (passage.ended || !claim) return passage
    const ended = this.#replay(claim, standing)
    return ended ? { ...passage, ended } : passage
  }

  /** The unit of this entry is kept: whoever comes after in the same transaction sees it so. */
  pass(passage: Passage, standing: Standing): void {
    const { delivery, queueId, heldId, mark, join } = passage
    if (queueId !== undefined) standing.queue.delete(queueId)
    if (heldId !== undefined) standing.heads.delete(heldId)
    if (!delivery) return
    const { envelope, handler, ordered } = delivery
    const name = nameOf(envelope.id, handler)
    if (heldId !== undefined) standing.states.delete(name)
    if (mark) standing.marks.add(name)
    if (!join) return
    standing.states.set(name, 'waiting')
    if (ordered && envelope.key !== null) standing.lanes.add(nameOf(handler, envelope.key))
  }

  get keepsAnswers(): boolean {
    return this.#answers
  }

  #deliver(delivery: Delivery, standing: Standing): Passage {
    const { settlement, heldId, handler, envelope } = delivery
    if (settlement && this.#fenced && standing.queue.get(settlement.queueId) !== settlement.owner)
      return { ended: LOST }
    if (heldId !== undefined && this.#fenced && standing.heads.get(heldId) !== this.#claims.owner(heldId)) {
      return { ended: LOST }
    }
    const settled: Passage = {
      delivery,
      ...(settlement && { queueId: settlement.queueId }),
      ...(heldId !== undefined && { heldId }),
    }
    if (this.#inbox && standing.marks.has(nameOf(envelope.id, handler))) return { ...settled, ended: DUPLICATE }
    if (heldId === undefined) {
      const state = standing.states.get(nameOf(envelope.id, handler))
      if (state === 'skipped') return { ...settled, ended: DUPLICATE, ...(this.#inbox && { mark: true }) }
      if (state !== undefined) return { ...settled, ended: HELD }
      if (this.#waits(delivery, standing)) return { ...settled, ended: HELD, join: true }
    }
    return this.#inbox ? { ...settled, mark: true } : settled
  }

  #waits({ handler, envelope, ordered }: Delivery, standing: Standing): boolean {
    return this.#lanes && ordered && envelope.key !== null && standing.lanes.has(nameOf(handler, envelope.key))
  }

  #replay(claim: Claim, standing: Standing): Ended | undefined {
    if (!this.#answers) return undefined
    const row = standing.answers.get(claimName(claim))
    if (!row) return undefined
    if (row.fingerprint !== claim.fingerprint) {
      throw new ObverseError(
        'IDEMPOTENCY_MISMATCH',
        `The idempotency key ${JSON.stringify(claim.key)} of ${claim.command} was used with another body; use a new key for a new request`,
      )
    }
    return { kind: 'replayed', answer: { outcome: row.outcome, body: row.body, token: row.token } }
  }
}
