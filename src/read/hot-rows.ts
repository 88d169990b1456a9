/**
 * Rows that were saved a moment ago and will soon be changed again, so that they need not be loaded. Stale ones do no
 * harm: a row that is folded from its mark on, without a hole, is right, and the store refuses what it has already.
 *
 * Bounded by weight; what was not used for a while goes first (two halves, the older of which is dropped).
 */
export interface HotRows<V> {
  get(id: string): V | undefined
  /** Keeps `value`; to be called again when it has become heavier. */
  set(id: string, value: V): void
  delete(id: string): void
  clear(): void
}

/** Rows kept by default, for each projection and generation. */
export const HOT_ROWS = 4_000

export function createHotRows<V>(most: number, weight: (value: V) => number = () => 1): HotRows<V> {
  type Kept = { value: V; weight: number }
  const half = most / 2
  let young = new Map<string, Kept>()
  let old = new Map<string, Kept>()
  let total = 0

  const forget = (id: string) => {
    const kept = young.get(id)
    if (kept) {
      total -= kept.weight
      young.delete(id)
    }
    old.delete(id)
  }
  const set = (id: string, value: V) => {
    const heavy = weight(value)
    if (heavy > half) return forget(id)
    const kept = young.get(id)
    total += heavy - (kept?.weight ?? 0)
    if (kept) {
      kept.value = value
      kept.weight = heavy
    } else {
      young.set(id, { value, weight: heavy })
    }
    if (total <= half) return
    old = young
    young = new Map()
    total = 0
  }
  return {
    get(id) {
      const kept = young.get(id)
      if (kept) return kept.value
      const older = old.get(id)
      if (older) set(id, older.value)
      return older?.value
    },
    set,
    delete: forget,
    clear() {
      young.clear()
      old.clear()
      total = 0
    },
  }
}
