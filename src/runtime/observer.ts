/** Everything worth a log line, a metric or a span, named once. Observers are called synchronously and must not throw. */
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
  | { readonly step: 'switched'; readonly projection: string; readonly generation: number }
  | { readonly step: 'started'; readonly part: string; readonly detail: string }
  | { readonly step: 'stopped'; readonly part: string; readonly reason: string }
  | { readonly step: 'failed'; readonly part: string; readonly error: unknown }

export type Observer = (step: Step) => void

/** Calls every observer; none: a function that does nothing. */
export function observers(all: readonly Observer[]): Observer {
  if (all.length === 0) return () => {}
  if (all.length === 1 && all[0]) return all[0]
  return (step) => {
    for (const observe of all) observe(step)
  }
}
