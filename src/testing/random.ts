/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** UUIDs v7 that rise, whatever the clock does: time, then a counter, then chance. */
export function risingIds(now: () => number, random: () => number): () => string {
  let time = 0
  let count = 0
  return () => {
    time = Math.max(time, Math.floor(now()))
    count = (count + 1) >>> 0
    const stamp = hex(time, 12)
    const high = hex(count >>> 20, 3)
    const low = hex(0x8000 | ((count >>> 6) & 0x3fff), 4)
    const rest = hex((count & 0x3f) * 2 ** 42 + Math.floor(random() * 2 ** 42), 12)
    return `${stamp.slice(0, 8)}-${stamp.slice(8)}-7${high}-${low}-${rest}`
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
