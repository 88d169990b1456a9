import { type DeadLetter, type DeadLetters, isoTime, ObverseError, readEnvelope } from 'obverse'
import { RECLAIMABLE } from './held.ts'
import type { Instance } from './instance.ts'
import type { HeldEntry } from './rows.ts'
import { finishStatus, refuseStatus } from './status.ts'

export function deadLetters(instance: Instance): DeadLetters {
  const { data } = instance
  const dead = (id: number): HeldEntry | undefined => {
    const row = data.held.rows.get(id)
    return row?.state === 'dead' ? row : undefined
  }
  const again = (row: HeldEntry): true => {
    runAgain(instance, row)
    data.notify()
    return true
  }
  return instance.whileOpen<DeadLetters>({
    async list({ handler, channel, key, code, messageId, state = 'dead', limit = 100, after = 0 } = {}) {
      const found: DeadLetter[] = []
      for (const row of data.held.rows.values()) {
        if (found.length >= Math.min(limit, 1_000)) break
        if (row.id <= after || row.state !== state) continue
        if (handler !== undefined && row.handler !== handler) continue
        if (channel !== undefined && row.channel !== channel) continue
        if (key !== undefined && row.key !== key) continue
        if (code !== undefined && row.code !== code) continue
        if (messageId !== undefined && row.messageId !== messageId) continue
        found.push(deadLetter(instance, row))
      }
      return found
    },
    async get(id) {
      const row = data.held.rows.get(id)
      return row && deadLetter(instance, row)
    },
    async retry(id) {
      const row = dead(id)
      return row ? again(row) : false
    },
    async edit(id, body) {
      const row = dead(id)
      if (!row) return false
      if (row.messageId !== null) checkSameMessage(row.messageId, body)
      row.originalBody ??= row.body
      row.body = body
      return again(row)
    },
    async skip(id, note) {
      const row = dead(id)
      if (!row) return false
      row.note = note
      data.held.change(row, 'skipped', instance.now)
      if (row.handler === null && row.messageId !== null) refuseStatus(instance, row.messageId, row.code, row.reason)
      data.notify()
      return true
    },
    async reclaim(knows) {
      let count = 0
      for (const row of [...data.held.rows.values()]) {
        if (row.state !== 'dead' || row.handler !== null || !RECLAIMABLE.includes(row.code)) continue
        const read = readEnvelope(row.body)
        if (!knows(read.type, read.schemaVersion, row.channel)) continue
        runAgain(instance, row)
        count += 1
      }
      if (count > 0) data.notify()
      return count
    },
  })
}

/** In its place in its lane; what nobody had taken goes to its channel again. */
function runAgain(instance: Instance, row: HeldEntry): void {
  const { data, now } = instance
  if (row.handler === null) {
    data.held.remove(row, now)
    data.enqueueRaw(row.channel, row.body, now)
    const failed = row.messageId !== null && data.statuses.get(row.messageId)?.state === 'failed'
    if (failed) finishStatus(instance, row.messageId as string, { state: 'pending' })
    return
  }
  row.attempts = 0
  row.retryAt = now
  data.held.change(row, 'retry', now)
  if (row.messageId !== null) finishStatus(instance, row.messageId, { state: 'pending' })
}

function checkSameMessage(messageId: string, body: string): void {
  let id: unknown
  try {
    id = (JSON.parse(body) as { id?: unknown } | null)?.id
  } catch {
    // what is not JSON cannot carry another id; its handler will say what is wrong with it
    return
  }
  if (id === undefined || id === messageId) return
  throw new ObverseError(
    'VALIDATION_FAILED',
    `The edited body has the id ${JSON.stringify(id)}; keep ${messageId}, by which its handlers know the message`,
    { fields: { id: [`must stay ${messageId}`] } },
  )
}

function deadLetter(instance: Instance, row: HeldEntry): DeadLetter {
  const { id, messageId, type, channel, handler, key, state, attempts, code, reason, detail, at, body } = row
  return {
    id,
    messageId,
    type,
    channel,
    handler,
    key,
    state,
    attempts,
    code,
    reason,
    detail,
    at: isoTime(at),
    behind: instance.data.held.behind(row),
    body,
    ...(row.originalBody !== undefined && { originalBody: row.originalBody }),
    ...(row.note !== undefined && { note: row.note }),
  }
}
