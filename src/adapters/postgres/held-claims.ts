import type { Delivery, Lane } from 'obverse'

/**
 * Told of a delivery that has ended, and whether it was found to be somebody else's: of its held row nothing was ended then,
 * and it may have been claimed anew meanwhile.
 */
export type Settled = (delivery: Pick<Delivery, 'settlement' | 'heldId'>, lost: boolean) => void

interface HeldClaim {
  readonly owner: string
  readonly lane: Lane | undefined
}

/**
 * Which owner of this process has claimed which held row. A delivery names only the row; what it may settle is what
 * the claim it came from still has.
 */
export class HeldClaims {
  readonly #claims = new Map<number, HeldClaim>()

  /** `lane`: that of the row, whatever key its body has been given since. */
  add(id: number, owner: string, lane: Lane | undefined): void {
    this.#claims.set(id, { owner, lane })
  }

  /** No claim: no owner has this name. */
  owner(id: number): string {
    return this.#claims.get(id)?.owner ?? ''
  }

  /** The rows that an owner of this process has claimed. */
  of(owner: string): number[] {
    return [...this.#claims].flatMap(([id, claim]) => (claim.owner === owner ? id : []))
  }

  /** The lane of a row that this process has claimed, if it is in one. */
  lane(id: number): Lane | undefined {
    return this.#claims.get(id)?.lane
  }

  /** The lanes that ending this delivery may change: that of its held row, or the one it may have to join. */
  lanes({ heldId, handler, ordered, envelope }: Delivery): Lane[] {
    const of = heldId === undefined ? undefined : this.#claims.get(heldId)?.lane
    const lanes = of ? [of] : []
    if (ordered && envelope.key !== null && of?.key !== envelope.key) lanes.push({ handler, key: envelope.key })
    return lanes
  }

  remove(...ids: readonly number[]): void {
    for (const id of ids) this.#claims.delete(id)
  }

  /** An owner was found dead by others: what it had is not its own any more. */
  removeOwner(owner: string): void {
    for (const [id, claim] of this.#claims) if (claim.owner === owner) this.#claims.delete(id)
  }
}
