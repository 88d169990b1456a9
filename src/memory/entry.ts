import { type Claim, type Delivery, type Entry, ObverseError, type Outcome } from 'obverse'
import type { Instance } from './instance.ts'
import type { HeldEntry } from './rows.ts'

/**
 * Checks what comes before the work, in the port's order. `undefined`: go on. A duplicate and a message that must wait
 * are settled here.
 */
export function checkEntry(
  instance: Instance,
  { delivery, claim }: Entry,
): Exclude<Outcome, { kind: 'committed' }> | undefined {
  if (delivery) {
    const ended = checkDelivery(instance, delivery)
    if (ended) return { kind: ended }
  }
  return claim && checkClaim(instance, claim)
}

function checkDelivery(instance: Instance, delivery: Delivery): 'lost' | 'duplicate' | 'held' | undefined {
  const { data } = instance
  const { envelope, handler } = delivery
  if (!isOurs(instance, delivery)) return 'lost'
  const other = otherRow(instance, delivery)
  if (other?.state === 'skipped' || (!instance.lacks('inbox') && data.marks.has(`${envelope.id}\n${handler}`))) {
    settle(instance, delivery)
    data.notify()
    return 'duplicate'
  }
  if (other) {
    settle(instance, delivery)
    return 'held'
  }
  if (!waitsBehind(instance, delivery)) return undefined
  join(instance, delivery)
  data.notify()
  return 'held'
}

/** False: somebody else has its queue row or its held row now, or has done with it. */
export function isOurs(instance: Instance, { settlement, heldId }: Delivery): boolean {
  const { data } = instance
  if (settlement && !instance.lacks('settlement-fence')) {
    if (data.rows.get(settlement.queueId)?.owner?.id !== settlement.owner) return false
  }
  if (heldId === undefined) return true
  return data.held.rows.get(heldId)?.owner?.home === instance
}

/** Another row of this message for this handler: it came twice, and waits or was given up already. */
function otherRow({ data }: Instance, { envelope, handler, heldId }: Delivery): HeldEntry | undefined {
  const row = data.held.ofMessage(envelope.id, handler)
  return row && row.id !== heldId ? row : undefined
}

function waitsBehind(instance: Instance, { envelope, handler, ordered, heldId }: Delivery): boolean {
  if (!ordered || envelope.key === null || instance.lacks('held-lane')) return false
  const head = instance.data.held.head(handler, envelope.key)
  return head !== undefined && head.id !== heldId
}

/** Puts a delivery behind what its lane holds; one that has a row keeps its place. */
export function join(instance: Instance, delivery: Delivery): void {
  const { data, now } = instance
  const { envelope, handler, channel, ordered, attempts, body, heldId } = delivery
  const row = heldId === undefined ? data.held.ofMessage(envelope.id, handler) : data.held.rows.get(heldId)
  if (row) data.held.release(row, now, false)
  else {
    const { id: messageId, type, key } = envelope
    data.held.add({ channel, handler, key, messageId, type, at: now, body, ordered, state: 'waiting', attempts }, now)
  }
  settle(instance, delivery, false)
}

/** The queue row, the attempts and (unless it stays) the held row of a delivery go. */
export function settle(instance: Instance, { settlement, heldId, envelope, handler }: Delivery, held = true): void {
  const { data } = instance
  if (settlement) settleRow(instance, settlement)
  data.attempts.delete(`${envelope.id}\n${handler}`)
  const row = heldId === undefined || !held ? undefined : data.held.rows.get(heldId)
  if (row) data.held.remove(row, instance.now)
}

export function settleRow(instance: Instance, { queueId, owner }: NonNullable<Delivery['settlement']>): void {
  const row = instance.data.rows.get(queueId)
  if (row && (row.owner?.id === owner || instance.lacks('settlement-fence'))) instance.data.unqueue(row)
}

export function checkClaim(instance: Instance, claim: Claim): Extract<Outcome, { kind: 'replayed' }> | undefined {
  if (instance.lacks('idempotency-claim')) return undefined
  const known = instance.data.claims.get(claimName(claim))
  if (!known) return undefined
  if (known.fingerprint === claim.fingerprint) return { kind: 'replayed', answer: known.answer }
  throw new ObverseError(
    'IDEMPOTENCY_MISMATCH',
    `The idempotency key ${JSON.stringify(claim.key)} was used with another body; use a new key for a new request`,
  )
}

export function claimName({ principal, command, key }: Claim): string {
  return `${principal}\n${command}\n${key}`
}
