/** Everything worth a log line, a metric or a span, named once. Observers are called synchronously; one that throws is warned of, once. */
export type Step =
  | {
      readonly step: 'sent'
      readonly type: string
      readonly messageId: string
      readonly ms: number
      readonly outcome: 'done' | 'accepted' | 'replayed' | 'refused' | 'failed'
    }
  | { readonly step: 'asked'; readonly type: string; readonly ms: number; readonly outcome: 'done' | 'failed' }
  | { readonly step: 'sending'; readonly type: string; readonly messageId: string; readonly channel: string }
  | { readonly step: 'stamped'; readonly count: number }
  | { readonly step: 'published'; readonly count: number; readonly ms: number }
  | { readonly step: 'returned'; readonly messageId: string; readonly channel: string; readonly reason: string }
  | {
      readonly step: 'received'
      readonly type: string
      readonly messageId: string
      readonly channel: string
      readonly redelivered: boolean
    }
  | {
      readonly step: 'handling'
      readonly type: string
      readonly messageId: string
      readonly channel: string
      readonly handler: string
      readonly attempt: number
    }
  | {
      readonly step: 'handled'
      readonly type: string
      readonly messageId: string
      readonly channel: string
      readonly handler: string
      readonly ms: number
      readonly outcome: 'committed' | 'duplicate' | 'held' | 'lost'
    }
  | {
      readonly step: 'retrying'
      readonly type: string
      readonly messageId: string
      readonly handler: string
      readonly attempt: number
      readonly inMs: number
      readonly reason: string
    }
  | {
      readonly step: 'dead'
      readonly type: string
      readonly messageId: string
      readonly channel: string
      readonly handler: string
      readonly code: string
      readonly reason: string
    }
  | { readonly step: 'outage'; readonly part: string; readonly reason: string; readonly failures: number }
  | { readonly step: 'recovered'; readonly part: string }
  | {
      readonly step: 'projected'
      readonly projection: string
      readonly events: number
      readonly rows: number
      readonly filled: number
      readonly ms: number
    }
  | {
      readonly step: 'rebuilding'
      readonly projection: string
      readonly position: number
      readonly head: number
      readonly perSecond: number
    }
  /** A view store came back empty or older than it was; it is caught up from the log. */
  | { readonly step: 'fell-back'; readonly projection: string; readonly from: number; readonly to: number }
  /** Something that grows worse while nobody looks, and what to do about it. Told once, until it is over. */
  | { readonly step: 'warned'; readonly part: string; readonly says: string; readonly remedy?: string }
  | { readonly step: 'switched'; readonly projection: string; readonly generation: number }
  | { readonly step: 'started'; readonly part: string; readonly detail: string }
  | { readonly step: 'stopped'; readonly part: string; readonly reason: string }
  | { readonly step: 'failed'; readonly part: string; readonly error: unknown }

export type Observer = (step: Step) => void

/**
 * Calls every observer that is in `all` by then. What is observed goes on whatever they do: the first failure of each is a
 * warning of the process, the others are dropped.
 */
export function observers(all: Iterable<Observer>): Observer {
  const warned = new WeakSet<Observer>()
  const warn = (observe: Observer, step: Step, error: unknown) => {
    if (warned.has(observe)) return
    warned.add(observe)
    let reason = 'an error that cannot be read'
    try {
      reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    } catch {
      // its getters throw too
    }
    process.emitWarning(`An observer threw at the step ${step.step}; it is told of the next ones: ${reason}`, {
      code: 'OBVERSE_OBSERVER',
    })
  }
  return (step) => {
    for (const observe of all) {
      try {
        const returned: unknown = observe(step)
        if (returned instanceof Promise) returned.catch((error: unknown) => warn(observe, step, error))
      } catch (error) {
        warn(observe, step, error)
      }
    }
  }
}
