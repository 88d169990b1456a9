import { durationText } from 'obverse'

const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
]

/** `now`, `5 s ago`, `3 min ago`, `in 2 h`: for reading, not for arithmetic. `at` is ISO 8601 or epoch milliseconds. */
export function ageText(at: string | number, now: number): string {
  const then = typeof at === 'number' ? at : Date.parse(at)
  if (Number.isNaN(then)) return String(at)
  const distance = Math.abs(now - then)
  const [ms, unit] = UNITS.find(([least]) => distance >= least) ?? []
  if (ms === undefined) return 'now'
  const text = `${Math.floor(distance / ms)} ${unit}`
  return then <= now ? `${text} ago` : `in ${text}`
}

export { durationText }

/** `1,234,567` everywhere, whatever the machine's language. */
export function countText(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}

/** `1 message`, `2 messages`. */
export function counted(count: number, one: string, many: string = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`
}

/** `512 B`, `1.4 kB`, `200 MB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB']
  let value = bytes
  let unit = 0
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024
    unit += 1
  }
  return `${Number(value.toFixed(value < 10 ? 1 : 0))} ${units[unit]}`
}
