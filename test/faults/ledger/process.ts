// One process of the ledger: loads at once, opens and runs when it is told to, and ends where its assignment says.
import { flushCompileCache } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import { type Observer, type Runtime, systemRuntime } from 'obverse'
import { sqlite, sqliteBroker } from 'obverse/sqlite'
import { seededRandom } from 'obverse/testing'
import { createLedger } from './app.ts'
import { crashPoint } from './crash.ts'
import { Enter } from './messages.ts'
import { type Assignment, type Notice, type Order, ROLES } from './protocol.ts'

const assignment: Assignment = JSON.parse(process.env.LEDGER ?? '{}')
const { role, file, queues, without, crash, seed } = assignment
const say = (notice: Notice, then?: () => void) => process.send?.(notice, undefined, undefined, () => then?.())

const point = crashPoint(crash, (is, then) => say({ is }, then))
const random = seededRandom(seed)
const runtime: Runtime = { ...systemRuntime, random, reach: point.reach, without: new Set(without) }

const observe: Observer = (step) => {
  if (step.step === 'received' && step.redelivered) say({ is: 'redelivered' })
  if (step.step === 'handled' && step.outcome === 'lost') say({ is: 'lost' })
  if (step.step === 'dead') say({ is: 'dead' })
  if (step.step === 'failed' || step.step === 'outage') say({ is: 'odd', what: odd(step) })
}

function odd(step: Parameters<Observer>[0]): string {
  const error = 'error' in step ? step.error : undefined
  return `${role} ${JSON.stringify(step)}${error instanceof Error ? ` ${error.stack}` : ''}`
}

/** A second sign of life is asked of an owner soon, so that a stopped process is noticed within the test. */
const settings = { lease: 500 }
const app = createLedger(
  {
    store: sqlite(file, settings),
    ...(queues !== undefined && { broker: sqliteBroker(queues, settings) }),
    runtime,
    observe: [observe],
  },
  () => pause(random() * 3),
)

async function send({ op }: Extract<Order, { do: 'send' }>): Promise<void> {
  try {
    const sent = await app.send(Enter(op), { idempotencyKey: op.opId })
    say({ is: 'answered', opId: op.opId, number: sent.result.number })
  } catch (error) {
    say({ is: 'refused', opId: op.opId, reason: String(error) })
  }
}

process.on('message', async (order: Order) => {
  switch (order.do) {
    case 'go':
      point.armed = order.armed
      await app.start(ROLES[role])
      say({ is: 'ready' })
      break
    case 'arm':
      point.armed = order.armed
      break
    case 'send':
      await send(order)
      break
    case 'skip':
      for (const { id } of await app.operate.deadLetters.list()) await app.operate.deadLetters.skip(id, 'a poison')
      break
    case 'stop':
      point.armed = false
      await app.stop()
      process.disconnect()
  }
})
process.on('disconnect', () => process.exit(0))
// those that are killed cannot keep what was compiled for the next
flushCompileCache()
say({ is: 'loaded' })
