import { ObverseError } from '../errors.ts'
import type { Runtime } from '../runtime/clock.ts'
import { createProgress, type ProgressOptions, type Wanted } from './progress.ts'
import type { AnyProjection } from './projection.ts'
import type { ViewTable } from './view.ts'

/** Milliseconds between looks when nothing wakes, first and longest; and before a parked key is first asked about. */
const LOOK = { first: 5, longest: 20 } as const
const ASK_PARKED = 250

export interface LineOptions extends ProgressOptions {
  readonly runtime: Runtime
}

export interface Waiting {
  readonly wanted: readonly Wanted[]
  readonly timeout: number
  readonly parked?: (projection: AnyProjection, key: string) => Promise<boolean>
  readonly signal?: AbortSignal
}

/** Everybody who waits for one projection; they share their looks. */
export interface Line {
  join(waiting: Waiting): Promise<ViewTable>
  look(): void
}

export function createLine(projection: AnyProjection, options: LineOptions): Line {
  const { runtime } = options
  const progress = createProgress(projection, options)
  const members = new Set<{
    readonly wanted: readonly Wanted[]
    look(table: ViewTable | undefined, error?: unknown): void
  }>()
  let looking = false
  let again = false
  let cancelTimer: () => void = () => {}
  let rest: number = LOOK.first

  const look = async () => {
    cancelTimer()
    again = looking
    if (looking || members.size === 0) return
    looking = true
    const present = [...members]
    try {
      const { table, missing } = await progress.look(present.flatMap(({ wanted }) => wanted))
      for (const member of present) {
        member.look(
          member.wanted.every((each) => each.seq < (missing.get(each.key) ?? Number.POSITIVE_INFINITY))
            ? table
            : undefined,
        )
      }
    } catch (error) {
      for (const member of present) member.look(undefined, error)
    }
    looking = false
    if (again) return look()
    cancelTimer = runtime.after(rest, look)
    rest = Math.min(rest * 2, LOOK.longest)
  }

  return {
    look() {
      if (members.size > 0) void look()
    },
    join: ({ wanted, timeout, parked, signal }) =>
      new Promise((resolve, reject) => {
        const timers: (() => void)[] = []
        const end = () => {
          members.delete(member)
          for (const cancel of timers) cancel()
          signal?.removeEventListener('abort', abort)
        }
        const fail = (error: unknown) => {
          end()
          reject(error)
        }
        const member = {
          wanted,
          look(table: ViewTable | undefined, error?: unknown) {
            if (!members.has(member)) return
            if (error !== undefined) return fail(error)
            if (!table) return
            end()
            resolve(table)
          },
        }
        const abort = () => fail(signal?.reason)
        const askParked = async () => {
          for (const { key } of parked ? wanted : []) {
            if (members.has(member) && (await parked?.(projection, key))) return fail(keyParked(projection, key))
          }
        }
        const giveUp = async () => {
          try {
            await askParked()
            if (members.has(member)) fail(await tooLate(projection, wanted, timeout, progress.look))
          } catch (error) {
            fail(error)
          }
        }
        if (signal?.aborted) return reject(signal.reason)
        signal?.addEventListener('abort', abort, { once: true })
        members.add(member)
        if (timeout > ASK_PARKED) timers.push(runtime.after(ASK_PARKED, () => void askParked().catch(() => {})))
        timers.push(runtime.after(timeout, () => void giveUp()))
        rest = LOOK.first
        void look()
      }),
  }
}

function keyParked({ name, view }: AnyProjection, key: string): ObverseError {
  return new ObverseError(
    'KEY_PARKED',
    `View ${view.name} cannot show the write: a dead letter of projection ${name} holds the key ${JSON.stringify(key)}; ` +
      'retry or skip it',
  )
}

async function tooLate(
  { view }: AnyProjection,
  wanted: readonly Wanted[],
  timeout: number,
  look: ReturnType<typeof createProgress>['look'],
): Promise<ObverseError> {
  const { missing, reached } = await look(wanted)
  const late = wanted.find(({ key, seq }) => seq >= (missing.get(key) ?? Number.POSITIVE_INFINITY)) ?? wanted[0]
  return new ObverseError(
    'CONSISTENCY_TIMEOUT',
    `View ${view.name} did not show key ${JSON.stringify(late?.key)} at seq ${late?.seq} within ${Math.round(timeout)} ms; it has ` +
      `come to ${late ? reached(late.key) : 'nothing'}. Ask again with the same token`,
  )
}
