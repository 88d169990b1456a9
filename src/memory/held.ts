import type { Delivery, Failure, HeldRow, HeldRows } from 'obverse'
import { isOurs, join, settle, settleRow } from './entry.ts'
import type { Instance } from './instance.ts'
import type { HeldEntry } from './rows.ts'
import { finishStatus, refuseStatus } from './status.ts'

/** Codes of refusals that end when a newer version runs. */
export const RECLAIMABLE: readonly string[] = ['MESSAGE_TYPE_UNKNOWN', 'MESSAGE_VERSION_UNKNOWN']

export function heldRows(instance: Instance): HeldRows {
  const { data } = instance
  const table = data.held
  const ours = (owner: string, ids: readonly number[]): readonly HeldEntry[] =>
    ids.flatMap((id) => {
      const row = table.rows.get(id)
      return row?.owner?.id === owner ? [row] : []
    })
  return instance.whileOpen<HeldRows>({
    async hold(delivery, failure) {
      if (!isOurs(instance, delivery)) return
      holdOne(instance, delivery, failure)
      data.notify()
    },
    async join(deliveries) {
      for (const delivery of deliveries) if (isOurs(instance, delivery)) join(instance, delivery)
      data.notify()
    },
    blocked: async (lanes) => lanes.filter(({ handler, key }) => table.head(handler, key) !== undefined),
    async claim(owner, handlers, limit) {
      instance.reap()
      return table.claim(instance.owner(owner), handlers, limit, instance.now).map(heldRow)
    },
    nextDue: async (handlers) => table.nextDue(handlers),
    async refuse({ settlement, channel, body, code, reason, messageId = null, type = null }) {
      if (settlement) {
        if (!instance.lacks('settlement-fence') && data.rows.get(settlement.queueId)?.owner?.id !== settlement.owner)
          return
        settleRow(instance, settlement)
      }
      if (messageId !== null && data.held.refusedBefore(messageId, channel, body)) return
      const nobody = { handler: null, key: null, ordered: false, attempts: 0, detail: '' }
      const at = instance.now
      table.add({ ...nobody, channel, body, messageId, type, code, reason, at, state: 'dead' }, at)
      if (messageId !== null && !RECLAIMABLE.includes(code)) refuseStatus(instance, messageId, code, reason)
      data.notify()
    },
    async done(owner, ids) {
      for (const row of ours(owner, ids)) {
        data.attempts.delete(`${row.messageId}\n${row.handler}`)
        table.remove(row, instance.now)
      }
      data.notify()
    },
    async release(owner, ids) {
      for (const row of ours(owner, ids)) table.release(row, instance.now, false)
      data.notify()
    },
    counts: async () => [...table.counts()],
  })
}

function holdOne(instance: Instance, delivery: Delivery, failure: Failure): void {
  const { data, now } = instance
  const { envelope, handler, heldId, channel, body, ordered } = delivery
  const known = heldId === undefined ? data.held.ofMessage(envelope.id, handler) : data.held.rows.get(heldId)
  const handled = !instance.lacks('inbox') && data.marks.has(`${envelope.id}\n${handler}`)
  // a second copy of a message that was handled, waits or was given up: what is on record stays
  if (heldId === undefined && (known || handled)) {
    settle(instance, delivery)
    return
  }
  const row = known ?? data.held.add({ ...identity(delivery), channel, body, ordered, at: now }, now)
  const parks = failure.retryAt !== undefined || !instance.lacks('parking')
  data.held.fail(row, failure, now, ordered && parks)
  settle(instance, delivery, false)
  if (failure.retryAt === undefined && failure.tracked) {
    finishStatus(instance, envelope.id, { state: 'failed', code: failure.code, reason: failure.reason })
  }
}

function identity({ envelope, handler, attempts }: Delivery) {
  const { id: messageId, type, key } = envelope
  return { messageId, type, key, handler, attempts, state: 'waiting' as const }
}

function heldRow({ id, messageId, handler, channel, body, ordered, attempts, redelivered }: HeldEntry): HeldRow {
  return {
    heldId: id,
    messageId: messageId ?? '',
    handler: handler ?? '',
    channel,
    body,
    ordered,
    attempts,
    redelivered,
  }
}
