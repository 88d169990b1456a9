import { isoTime, type MessageStatus, type Outgoing, type Statuses } from 'obverse'
import type { StatusRow } from './data.ts'
import type { Instance } from './instance.ts'

export function statuses(instance: Instance): Statuses {
  const { data } = instance
  return instance.whileOpen<Statuses>({
    async get(messageId) {
      const row = data.statuses.get(messageId)
      return row && { ...row }
    },
    async correlated(correlationId, limit) {
      return (data.correlatedStatuses.get(correlationId) ?? []).slice(0, limit).map((row) => ({ ...row }))
    },
    async cancel(messageId) {
      const cancelled = cancelMessage(instance, messageId)
      if (cancelled) data.notify()
      return cancelled
    },
  })
}

/** The row of a message that was accepted with a commit. */
export function acceptStatus({ data, now }: Instance, message: Outgoing): void {
  const { id, type, correlationId, causationId, due } = message
  const at = isoTime(now)
  const row: StatusRow = {
    messageId: id,
    type,
    state: 'pending',
    correlationId,
    causationId,
    acceptedAt: at,
    changedAt: at,
    ...(due !== undefined && { due: isoTime(due) }),
  }
  data.statuses.set(id, row)
  const related = data.correlatedStatuses.get(correlationId)
  if (related) related.push(row)
  else data.correlatedStatuses.set(correlationId, [row])
}

export function finishStatus(
  { data, now }: Instance,
  messageId: string,
  end: Pick<MessageStatus, 'state' | 'result' | 'code' | 'reason'>,
): void {
  const row = data.statuses.get(messageId)
  if (!row) return
  delete row.code
  delete row.reason
  Object.assign(row, end, { changedAt: isoTime(now) })
}

/** No handler was found for it; one that was handled, or called off, stays so. */
export function refuseStatus(instance: Instance, messageId: string, code: string, reason: string): void {
  if (instance.data.statuses.get(messageId)?.state !== 'pending') return
  finishStatus(instance, messageId, { state: 'failed', code, reason })
}

/** Calls off a command that nobody ever took: its rows go. */
export function cancelMessage(instance: Instance, messageId: string): boolean {
  const { data } = instance
  const rows = data.commands.get(messageId)
  if (!rows || rows.some((row) => row.owner || row.taken)) return false
  for (const row of rows) data.unqueue(row)
  finishStatus(instance, messageId, { state: 'cancelled' })
  return true
}
