import { type FaultPoint, ObverseError, type OpenStore, type Runtime, type Store, type Subscription } from 'obverse'

/** Thrown at the point where a simulated process ends. */
export class SimulatedCrash extends Error {
  override readonly name = 'SimulatedCrash'
  constructor(point: FaultPoint, nth: number) {
    super(`The simulated process ended at ${point}, time ${nth}`)
  }
}

type Act = () => void | Promise<void>

/** What goes wrong in one simulated process, and where. */
export interface Faults {
  /** For the `reach` of a runtime. */
  readonly reach: NonNullable<Runtime['reach']>
  /** True once a crash has happened: nothing of this process goes on. */
  readonly crashed: boolean
  /** Ends the process the `nth` time (from 1) that it comes to `point`: a {@link SimulatedCrash} is thrown there. */
  crashAt(point: FaultPoint, nth?: number): Faults
  /** Ends the real process there, at once, by SIGKILL. */
  killAt(point: FaultPoint, nth?: number): Faults
  /** Goes on from `point` only when `until` has resolved; every time, or only the `nth`. */
  delayAt(point: FaultPoint, until: () => Promise<void>, nth?: number): Faults
  /** How often the process came to `point`. */
  count(point: FaultPoint): number
  /** The runtime of this process over one that several share: its steps are told, its timers end with it. */
  runtime<R extends Runtime>(shared: R): R
  /** The store as this process sees it: after the crash nothing reaches it and nothing comes back. */
  store(shared: Store): Store
}

/**
 * @example
 * const first = faults().crashAt('commit.after', 3)
 * const app = createApp({ handlers, store: first.store(data), runtime: first.runtime(clock) })
 */
export function faults(): Faults {
  const acts: { readonly point: FaultPoint; readonly nth: number | undefined; readonly act: Act }[] = []
  const counts = new Map<FaultPoint, number>()
  const subscriptions = new Set<Subscription>()
  let crashed = false

  const end = (point: FaultPoint, nth: number): never => {
    crashed = true
    // a dead process takes nothing more, and what it had lapses with its lease
    for (const subscription of subscriptions) subscription.pause()
    throw new SimulatedCrash(point, nth)
  }
  const self: Faults = {
    async reach(point) {
      if (crashed) return never()
      const count = (counts.get(point) ?? 0) + 1
      counts.set(point, count)
      for (const { act, nth, point: at } of acts) if (at === point && (nth === undefined || nth === count)) await act()
      return crashed ? never() : undefined
    },
    get crashed() {
      return crashed
    },
    crashAt(point, nth = 1) {
      acts.push({ point, nth, act: () => end(point, nth) })
      return self
    },
    killAt(point, nth = 1) {
      acts.push({ point, nth, act: () => void process.kill(process.pid, 'SIGKILL') })
      return self
    },
    delayAt(point, until, nth) {
      acts.push({ point, nth, act: until })
      return self
    },
    count: (point) => counts.get(point) ?? 0,
    runtime(shared) {
      const after: Runtime['after'] = (ms, work) => shared.after(ms, () => crashed || work())
      return Object.create(shared, { after: { value: after }, reach: { value: self.reach } })
    },
    store: (shared) => ({
      name: shared.name,
      open: async (environment) => mortal(await shared.open(environment), () => crashed, subscriptions),
    }),
  }
  return self
}

/**
 * Faults of a real process, named by a variable of its environment: `commit.after:3` kills it the third time that it
 * comes there; several are parted by commas; without a text there are none.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` for a text of another form
 */
export function killsFrom(text: string | undefined): Faults {
  const all = faults()
  for (const part of text ? text.split(',') : []) {
    const found = /^([a-z]+\.[a-z]+)(?::([1-9]\d*))?$/.exec(part.trim())
    if (!found?.[1]) {
      throw new ObverseError('CONFIGURATION_INVALID', `${JSON.stringify(part)} names no fault; write POINT:TIME`)
    }
    all.killAt(found[1] as FaultPoint, Number(found[2] ?? 1))
  }
  return all
}

function never<T>(): Promise<T> {
  return new Promise(() => {})
}

/** A store whose every answer stays away once the process is dead. */
function mortal(store: OpenStore, dead: () => boolean, subscriptions: Set<Subscription>): OpenStore {
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...given: unknown[]) => {
          if (dead()) return never()
          const answer: unknown = Reflect.apply(value, target, given)
          return answer instanceof Promise ? answer.then((result) => (dead() ? never() : adopt(name, result))) : answer
        }
      },
    })
  const adopt = (name: string | symbol, result: unknown): unknown => {
    if (name === 'open') return wrap(result as object)
    if (name === 'subscribe') subscriptions.add(result as Subscription)
    return result
  }
  const ports = Object.entries(store).map(([name, port]: [string, unknown]) => [
    name,
    typeof port === 'object' && port !== null ? wrap(port) : port,
  ])
  return Object.fromEntries(ports) as OpenStore
}
