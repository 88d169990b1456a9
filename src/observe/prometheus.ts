/** Label values by label name. */
export type Labels = Readonly<Record<string, string>>

/** One family of series in the text format of Prometheus. */
export interface Family {
  readonly text: () => string
}

/** Upper bounds in seconds, from 50 µs: most steps of an embedded application take less than a millisecond. */
export const DURATION_BUCKETS: readonly number[] = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]

/** Label values of everything that came after the limit. */
const OTHER = 'other'

export interface Counter extends Family {
  add(labels: Labels, by?: number): void
}

export interface Gauge extends Family {
  set(labels: Labels, value: number): void
}

export interface Histogram extends Family {
  /** Not rounded. */
  observe(labels: Labels, seconds: number): void
}

/** Only rises. */
export function counter(name: string, help: string, limit: number): Counter {
  const all = series(limit, () => ({ value: 0 }))
  return {
    add(labels, by = 1) {
      all.of(labels).value += by
    },
    text: () => lines(name, help, 'counter', all, ({ value }, labels) => [sample(name, labels, value)]),
  }
}

/** Rises and falls. */
export function gauge(name: string, help: string, limit: number): Gauge {
  const all = series(limit, () => ({ value: 0 }))
  return {
    set(labels, value) {
      all.of(labels).value = value
    },
    text: () => lines(name, help, 'gauge', all, ({ value }, labels) => [sample(name, labels, value)]),
  }
}

/** Counts values by size. */
export function histogram(name: string, help: string, limit: number, bounds: readonly number[]): Histogram {
  const all = series(limit, () => ({ counts: new Array<number>(bounds.length).fill(0), sum: 0, count: 0 }))
  return {
    observe(labels, seconds) {
      const one = all.of(labels)
      one.sum += seconds
      one.count += 1
      const bucket = bounds.findIndex((bound) => seconds <= bound)
      if (bucket >= 0) one.counts[bucket] = (one.counts[bucket] ?? 0) + 1
    },
    text: () =>
      lines(name, help, 'histogram', all, ({ counts, sum, count }, labels) => {
        let below = 0
        const buckets = bounds.map((bound, index) => {
          below += counts[index] ?? 0
          return sample(`${name}_bucket`, { ...labels, le: String(bound) }, below)
        })
        return [
          ...buckets,
          sample(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
          sample(`${name}_sum`, labels, sum),
          sample(`${name}_count`, labels, count),
        ]
      }),
  }
}

interface Series<S> {
  of(labels: Labels): S
  all(): Iterable<{ readonly labels: Labels; readonly state: S }>
}

/** At most `limit` label sets: types come from messages, and a stranger must not be able to fill the memory. */
function series<S>(limit: number, make: () => S): Series<S> {
  const known = new Map<string, { labels: Labels; state: S }>()
  const at = (labels: Labels): S => {
    const id = JSON.stringify(Object.values(labels))
    let entry = known.get(id)
    if (!entry) {
      const full = known.size >= limit && Object.values(labels).some((value) => value !== OTHER)
      if (full) return at(Object.fromEntries(Object.keys(labels).map((label) => [label, OTHER])))
      entry = { labels, state: make() }
      known.set(id, entry)
    }
    return entry.state
  }
  return { of: at, all: () => known.values() }
}

function lines<S>(
  name: string,
  help: string,
  kind: string,
  all: Series<S>,
  samples: (state: S, labels: Labels) => readonly string[],
): string {
  const body = [...all.all()].flatMap(({ labels, state }) => samples(state, labels))
  return body.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${body.join('\n')}\n`
}

function sample(name: string, labels: Labels, value: number): string {
  const inside = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}${inside.length === 0 ? '' : `{${inside.join(',')}}`} ${value}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
