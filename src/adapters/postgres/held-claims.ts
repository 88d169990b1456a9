import type { Delivery, Lane } from 'obverse'

/** One claim of one row; a later one of the same row by the same owner is another. */
export interface HeldClaim {
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

  /** The claim of a row as it is now. */
  now(id: number | undefined): HeldClaim | undefined {
    return id === undefined ? undefined : this.#claims.get(id)
  }

  remove(id: number): void {
    this.#claims.delete(id)
  }

  /** The row was given back, or was lost: it may have been claimed anew since, before anybody here was told so. */
  end(id: number | undefined, claim: HeldClaim | undefined): void {
    if (id !== undefined && this.#claims.get(id) === claim) this.#claims.delete(id)
  }

  /** An owner was found dead by others: what it had is not its own any more. */
  removeOwner(owner: string): void {
    for (const [id, claim] of this.#claims) if (claim.owner === owner) this.#claims.delete(id)
  }
}
