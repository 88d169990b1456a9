import type { OpenStore } from '../store.ts'

/** Everybody who wants to know that something was committed, in one list: a part may join and leave while it runs. */
export interface Wake {
  on(listener: () => void): () => void
  now(): void
  close(): void
}

export function createWake({ onCommit }: Pick<OpenStore, 'onCommit'>): Wake {
  const listeners = new Set<() => void>()
  const now = () => {
    for (const listener of listeners) listener()
  }
  return {
    on(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    now,
    close: onCommit(now),
  }
}
