/** PORT. Stamps committed events that have no position yet; absent where a commit knows it. */
export interface Positions {
  /**
   * Gives the next gapless positions to at most `limit` events: within a key by seq, between keys by insertion. One
   * caller at a time, by a lock inside its own transaction, so no leader can be a zombie. Returns how many.
   */
  stamp(limit: number): Promise<number>
}
