import { type Answer, type Claim, type Delivery, type Entry, ObverseError, type Outcome } from 'obverse'
import type { Connection } from './connection.ts'
import { type Environment, guards } from './environment.ts'
import type { HeldClaims } from './held-claims.ts'
import { addHeld, forgetAttempts, hasLane, rowState, takeAway } from './lane.ts'
import { isClaimed, settle } from './queue.ts'

export type Ended = Exclude<Outcome, { kind: 'committed' }>

const MARK = 'INSERT INTO obverse_inbox (message_id, handler, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'
const UNMARK = 'DELETE FROM obverse_inbox WHERE message_id = ? AND handler = ?'
const ANSWER =
  'SELECT fingerprint, outcome, body, token FROM obverse_answer WHERE principal = ? AND command = ? AND key = ?'
const KEEP_ANSWER = `INSERT INTO obverse_answer (principal, command, key, fingerprint, outcome, body, token, at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
const IS_OUR_HEAD = 'SELECT 1 FROM obverse_held WHERE id = ? AND owner = ?'
const IS_MARKED = 'SELECT 1 FROM obverse_inbox WHERE message_id = ? AND handler = ?'

export const DUPLICATE: Ended = { kind: 'duplicate' }
export const HELD: Ended = { kind: 'held' }
export const LOST: Ended = { kind: 'lost' }

/** What is checked before any work: settlement fence, inbox mark, held lane, idempotency claim, in this order. */
export class EntryCheck {
  readonly #environment: Environment
  readonly #claims: HeldClaims
  readonly #fenced: boolean
  readonly #inbox: boolean
  readonly #lanes: boolean
  readonly #answers: boolean

  constructor(environment: Environment, claims: HeldClaims) {
    this.#environment = environment
    this.#claims = claims
    this.#fenced = guards(environment, 'settlement-fence')
    this.#inbox = guards(environment, 'inbox')
    this.#lanes = guards(environment, 'held-lane')
    this.#answers = guards(environment, 'idempotency-claim')
  }

  /**
   * Inside the transaction. Settles the delivery and marks it in the same statements that check it; when the work
   * fails afterwards, the rollback takes that back. `undefined`: go on.
   */
  enter(c: Connection, { delivery, claim }: Entry): Ended | undefined {
    if (delivery) {
      const ended = this.#deliver(c, delivery)
      if (ended) return ended
    }
    return claim && this.replay(c, claim)
  }

  /** The same questions without writing anything, for a look beforehand. */
  peek(c: Connection, { delivery, claim }: Entry): Ended | undefined {
    if (delivery) {
      const { settlement, heldId, handler, envelope } = delivery
      if (this.#fenced) {
        if (settlement && !isClaimed(c, settlement.queueId, settlement.owner)) return LOST
        if (heldId !== undefined && !c.get(IS_OUR_HEAD, heldId, this.#claims.owner(heldId))) return LOST
      }
      if (this.#inbox && c.get(IS_MARKED, envelope.id, handler)) return DUPLICATE
      const ended = heldId === undefined ? this.#waits(c, delivery) : undefined
      if (ended) return ended
    }
    return claim && this.replay(c, claim)
  }

  /** @throws {ObverseError} `IDEMPOTENCY_MISMATCH` */
  replay(c: Connection, claim: Claim): Ended | undefined {
    if (!this.#answers) return undefined
    const row = c.get<Answer & { fingerprint: string }>(ANSWER, claim.principal, claim.command, claim.key)
    if (!row) return undefined
    if (row.fingerprint !== claim.fingerprint) {
      throw new ObverseError(
        'IDEMPOTENCY_MISMATCH',
        `The idempotency key ${JSON.stringify(claim.key)} of ${claim.command} was used with another body; use a new key for a new request`,
      )
    }
    return { kind: 'replayed', answer: { outcome: row.outcome, body: row.body, token: row.token } }
  }

  keep(c: Connection, { principal, command, key, fingerprint }: Claim, { outcome, body, token }: Answer): void {
    if (!this.#answers) return
    c.run(KEEP_ANSWER, principal, command, key, fingerprint, outcome, body, token, this.#environment.runtime.now())
  }

  #deliver(c: Connection, delivery: Delivery): Ended | undefined {
    const { settlement, heldId, handler, envelope } = delivery
    if (settlement && !settle(c, settlement.queueId, settlement.owner, this.#fenced)) return LOST
    if (heldId !== undefined && !takeAway(c, this.#environment, heldId, this.#claims.owner(heldId))) return LOST
    const fresh = !this.#inbox || c.run(MARK, envelope.id, handler, this.#environment.runtime.now()) === 1
    forgetAttempts(c, envelope.id, handler)
    if (!fresh) return DUPLICATE
    const ended = heldId === undefined ? this.#waits(c, delivery) : undefined
    if (ended !== HELD) return ended
    if (this.#inbox) c.run(UNMARK, envelope.id, handler)
    if (rowState(c, envelope.id, handler) === undefined) addHeld(c, this.#environment, delivery)
    return HELD
  }

  /** Its lane has rows, or it is a second copy: of one that is held, or of one that was given up for good. */
  #waits(c: Connection, { handler, envelope, ordered }: Delivery): Ended | undefined {
    const state = rowState(c, envelope.id, handler)
    if (state !== undefined) return state === 'skipped' ? DUPLICATE : HELD
    return this.#lanes && ordered && envelope.key !== null && hasLane(c, handler, envelope.key) ? HELD : undefined
  }
}
