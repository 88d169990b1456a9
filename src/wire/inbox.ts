/** PORT. What was handled already, by (message id, handler). Marks are written by the unit of `write/`. */
export interface Inbox {
  /**
   * Counts one more attempt, committed before the handler runs, so that a message that ends its process is given up
   * too. Returns the attempts so far, this one included. Removed when the message is handled, held or given up;
   * of one that was handled before nothing is counted: 1.
   */
  attempt(messageId: string, handler: string): Promise<number>
  /** Forgets the attempts of a message that an outage ended (outages are free) or that a batch has handled. */
  forgive(messageId: string, handler: string): Promise<void>
  /** Attempts that were recorded and are not settled yet; 0: none. Counts nothing. */
  attempts(messageId: string, handler: string): Promise<number>
  seen(messageId: string, handler: string): Promise<boolean>
  /**
   * Settles deliveries that need no mark (a projection's rows carry their own guard), in one batch; those that are not
   * their owner's any more are left alone.
   */
  settle(settlements: readonly { readonly queueId: number; readonly owner: string }[]): Promise<void>
  /** Forgets marks and stored answers older than `before` (epoch ms), at most `limit`. Returns how many. */
  purge(before: number, limit: number): Promise<number>
}
