import { type Refusal, refuse } from 'obverse'
import type { Item, Status } from './fields.ts'
import { amountOf, totalCents } from './money.ts'

/** Which status may follow which. A status that leads nowhere is final. */
const NEXT: Readonly<Record<Status, readonly Status[]>> = {
  pending: ['processing', 'completed', 'cancelled'],
  processing: ['completed', 'cancelled'],
  completed: [],
  cancelled: [],
}

export interface Change {
  readonly status?: Status | undefined
  readonly items?: readonly Item[] | undefined
}

/** Why an order with this status may not change so, in words; `undefined`: it may. Repeating a status is no change. */
export function refusalOf(status: Status, change: Change): Refusal | undefined {
  const isFinal = NEXT[status].length === 0
  if (isFinal && (change.items || (change.status && change.status !== status))) {
    return refuse(`A ${status} order is final and cannot be changed.`, { reason: 'order-final' })
  }
  if (change.status && change.status !== status && !NEXT[status].includes(change.status)) {
    const allowed = NEXT[status].join(' or ')
    return refuse(`A ${status} order cannot become ${change.status}; it can become ${allowed}.`, {
      reason: 'transition-not-allowed',
    })
  }
  return undefined
}

/**
 * What the items cost, in cents. The server computes it; `claimed` is what the client believes.
 * @throws {Refusal} 422 when the two differ
 */
export function agreedTotal(items: readonly Item[], claimed: number | undefined): bigint {
  const cents = totalCents(items)
  if (claimed === undefined || claimed === amountOf(cents)) return cents
  throw refuse(`total_amount is ${claimed}, but the items cost ${amountOf(cents)}.`, {
    code: 'UNPROCESSABLE',
    fields: { total_amount: [`must be ${amountOf(cents)}, which is what the items cost`] },
  })
}
