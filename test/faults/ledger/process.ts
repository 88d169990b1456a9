import { flushCompileCache } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type AppOptions,
  isObverseError,
  kindOf,
  type Observer,
  ObverseError,
  type Runtime,
  type Step,
  systemRuntime,
} from 'obverse'
import { seededRandom } from 'obverse/testing'
import { createLedger } from './app.ts'
import { crashPoint } from './crash.ts'
import { DOOMED, FLAKY } from './handlers.ts'
import { Enter, type Op } from './messages.ts'
import { type Assignment, type Notice, type Order, ROLES } from './protocol.ts'
import type { Stores } from './stores.ts'

/**
 * One process of the ledger: loads at once, opens and runs when it is told to, and ends where its assignment says. What
 * `parts` gives for its stores is all that one stack has and another has not.
 */
export function run<S extends Stores>(parts: (stores: S) => Pick<AppOptions<[]>, 'store' | 'broker' | 'views'>): void {
  const assignment: Assignment = JSON.parse(process.env.LEDGER ?? '{}')
  const { role, stores, partitions, outages, without, crash, seed } = assignment
  const point = crashPoint(crash, (is, then) => say({ is }, then))
  const random = seededRandom(seed)
  /** Deliveries that were taken and not acknowledged. */
  let open = 0
  const runtime: Runtime = {
    ...systemRuntime,
    random,
    without: new Set(without.filter((one) => one !== 'rollback')),
    reach(at) {
      if (at === 'ack.after') open -= 1
      return point.reach(at)
    },
  }
  const observe: Observer = (step) => {
    if (step.step === 'received') open += 1
    tell(step, role, outages)
  }
  let [away, refusing] = [false, false]
  const app = createLedger(
    { ...parts(stores as S), runtime, observe: [observe] },
    partitions,
    { pause: () => pause(random() * 3), away: () => away, refusing: () => refusing },
    without.includes('rollback'),
  )

  const sending = new Set<Promise<void>>()
  let leaving = false
  /** Does with an error what a client of an HTTP interface would: repeats what is not known. */
  const send = async (op: Op): Promise<void> => {
    const { opId } = op
    try {
      if (leaving) throw new ObverseError('STORE_CLOSED', 'the process leaves')
      const { result } = await app.send(Enter(op), { idempotencyKey: opId })
      // only a handler that is heedless answers
      say(op.doomed ? { is: 'undone', opId } : { is: 'answered', opId, number: result.number })
    } catch (error) {
      if (op.doomed && String(error).includes(DOOMED)) return say({ is: 'undone', opId })
      const again = isObverseError(error, 'CONFLICT') || isObverseError(error, 'IDEMPOTENCY_IN_PROGRESS')
      if (again || leaving || (outages && kindOf(error) === 'outage')) say({ is: 'again', opId })
      else say({ is: 'refused', opId, reason: String(error) })
    }
  }
  const leave = async (): Promise<void> => {
    point.armed = false
    leaving = true
    await Promise.all(sending)
    await app.stop()
    process.disconnect()
  }
  const obey = async (order: Order): Promise<void> => {
    switch (order.do) {
      case 'go':
        point.armed = order.armed
        await app.start(ROLES[role])
        say({ is: 'ready' })
        break
      case 'arm':
        point.armed = order.armed
        break
      case 'dependency':
        away = order.away
        break
      case 'refuse':
        refusing = order.all
        break
      case 'retry':
        for (const { id } of await app.operate.deadLetters.list({ limit: 1_000 }))
          await app.operate.deadLetters.retry(id)
        break
      case 'send': {
        const sent = send(order.op).finally(() => sending.delete(sent))
        sending.add(sent)
        break
      }
      case 'letters': {
        const letters = await app.operate.deadLetters.list()
        say({ is: 'letters', letters: letters.map(({ code, body }) => ({ code, body })) })
        break
      }
      case 'skip':
        for (const { id } of await app.operate.deadLetters.list()) await app.operate.deadLetters.skip(id, 'a poison')
        break
      case 'count':
        say({ is: 'open', count: open })
        break
      case 'stop':
        await leave()
    }
  }
  process.on('message', obey)
  // as whoever runs processes asks them to go
  process.once('SIGTERM', leave)
  process.on('disconnect', () => process.exit(0))
  // those that are killed cannot keep what was compiled for the next
  flushCompileCache()
  say({ is: 'loaded' })
}

function say(notice: Notice, then?: () => void): void {
  process.send?.(notice, undefined, undefined, () => then?.())
}

/** What a step means to whoever counts. */
function tell(step: Step, role: string, outages: boolean): void {
  const text = () => {
    const error = 'error' in step ? step.error : undefined
    return `${role} ${JSON.stringify(step)}${error instanceof Error ? ` ${error.stack}` : ''}`
  }
  if (step.step === 'received' && step.redelivered) say({ is: 'redelivered' })
  if (step.step === 'returned') say({ is: 'returned' })
  if (step.step === 'handled' && step.outcome === 'lost') say({ is: 'lost' })
  if (step.step === 'dead') say({ is: 'dead' })
  if (step.step === 'retrying' && !step.reason.includes(FLAKY)) say({ is: 'spent', what: text() })
  if (step.step === 'outage') say({ is: 'outage' })
  if (step.step === 'outage' && !outages) say({ is: 'odd', what: text() })
  if (step.step === 'failed' && !(outages && kindOf(step.error) === 'outage')) say({ is: 'odd', what: text() })
}
