/**
 * Which owner of this process has claimed which held row. A delivery names only the row; what it may settle is what
 * the claim it came from still has.
 */
export class HeldClaims {
  readonly #owners = new Map<number, string>()

  add(id: number, owner: string): void {
    this.#owners.set(id, owner)
  }

  /** No claim: no owner has this name. */
  owner(id: number): string {
    return this.#owners.get(id) ?? ''
  }

  remove(...ids: readonly number[]): void {
    for (const id of ids) this.#owners.delete(id)
  }

  /** An owner was found dead by others: what it had is not its own any more. */
  removeOwner(owner: string): void {
    for (const [id, held] of this.#owners) if (held === owner) this.#owners.delete(id)
  }
}
