import { ERRORS, type ErrorCode, ObverseError } from '../errors.ts'
import { type Runtime, sleep } from '../runtime/clock.ts'
import type { Statuses } from '../wire/status.ts'

const LONGEST_LOOK = 250

export interface Watching {
  readonly statuses: Statuses
  onCommit(listener: () => void): () => void
  readonly runtime: Runtime
}

/**
 * Waits for the end of an accepted command: its status row is looked at when something commits, and by and by
 * besides.
 */
export async function commandDone(
  messageId: string,
  { timeout = 30_000 }: { readonly timeout?: number } = {},
  { statuses, onCommit, runtime }: Watching,
): Promise<unknown> {
  const deadline = runtime.elapsed() + timeout
  let hint = new AbortController()
  const stop = onCommit(() => hint.abort())
  try {
    for (let look = 5; ; look = Math.min(look * 2, LONGEST_LOOK)) {
      hint = new AbortController()
      const status = await statuses.get(messageId)
      if (status?.state === 'done') return status.result === undefined ? undefined : JSON.parse(status.result)
      if (status?.state === 'failed' || status?.state === 'cancelled') throw failure(status)
      const left = deadline - runtime.elapsed()
      if (left <= 0) {
        const state = status?.state ?? 'unknown'
        throw new ObverseError(
          'RECEIPT_TIMEOUT',
          `${messageId} is still ${state} after ${timeout} ms; it goes on: ask for its status later`,
        )
      }
      await sleep(runtime, Math.min(look, left), hint.signal)
    }
  } finally {
    stop()
  }
}

function failure(status: { state: string; type: string; code?: string; reason?: string }): ObverseError {
  if (status.state === 'cancelled') return new ObverseError('REFUSED', `${status.type} was called off before it began`)
  const code = status.code !== undefined && status.code in ERRORS ? (status.code as ErrorCode) : 'HANDLER_FAILED'
  return new ObverseError(code, status.reason ?? `${status.type} failed`)
}
