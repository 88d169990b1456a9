import { isObverseError, kindOf } from 'obverse'
import type { Client } from 'obverse/testing'
import type { Memory } from './memory.ts'
import { Enter, Note, type Op, SumOf, VIEWS } from './messages.ts'

const NOTES = 3

/** Two senders of operations, one of asynchronous commands, and now and then somebody who rebuilds a view. */
export async function load(client: Client, memory: Memory): Promise<void> {
  const { world } = client
  const total = 6 + Math.floor(world.random() * 14)
  const plan: Plan = {
    total,
    keys: 1 + Math.floor(world.random() * 4),
    poisoned: world.chance(0.4) ? 1 + Math.floor(world.random() * total) : 0,
    crashing: world.chance(0.15) ? 1 + Math.floor(world.random() * total) : 0,
    next: 0,
  }
  await Promise.all([send(client, memory, plan), send(client, memory, plan), note(client, memory), rebuild(client)])
}

interface Plan {
  readonly total: number
  readonly keys: number
  /** Numbers of those operations; 0: there is none. */
  readonly poisoned: number
  readonly crashing: number
  next: number
}

async function send(client: Client, memory: Memory, plan: Plan): Promise<void> {
  const { world } = client
  while (plan.next < plan.total) {
    plan.next += 1
    const n = plan.next
    const op: Op = {
      opId: `op-${n}`,
      key: `key-${Math.floor(world.random() * plan.keys)}`,
      amount: 1 + Math.floor(world.random() * 100),
      ...(world.chance(0.15) && { flaky: true }),
      ...(n === plan.poisoned && { poison: true }),
      ...(n === plan.crashing && { crashes: true }),
    }
    memory.ops.set(op.opId, op)
    const { token } = await client.send(Enter(op), { idempotencyKey: op.opId })
    memory.answered.add(op.opId)
    if (world.chance(0.5)) await read(client, memory, op, token)
    await client.pause(world.between(0, 120))
  }
}

/** What is read with a token has the write in it, or says why not. */
async function read(client: Client, memory: Memory, { key, opId }: Op, after: string): Promise<void> {
  const view = client.world.pick(VIEWS.filter((name) => name !== 'gathered' && name !== 'tally')) ?? 'by_log'
  try {
    const sum = await client.ask(SumOf({ view, name: key }), { after, timeout: 2_000 })
    if (sum !== undefined) memory.reads.push({ view, opId, count: sum?.count ?? 0 })
  } catch (error) {
    const says = isObverseError(error, 'CONSISTENCY_TIMEOUT') || isObverseError(error, 'KEY_PARKED')
    if (!says && kindOf(error) !== 'outage') memory.wrong.push(`${view} was asked for ${key}: ${String(error)}`)
  }
}

async function note(client: Client, memory: Memory): Promise<void> {
  const { world } = client
  for (let n = 1; n <= NOTES; n += 1) {
    const fails = world.chance(0.2)
    const noteId = `note-${n}`
    const options = { idempotencyKey: noteId, ...(world.chance(0.5) && { delay: 300 }) }
    const { messageId } = await client.send(Note({ noteId, fails }), options)
    const cancels = world.chance(0.3)
    memory.notes.set(noteId, { messageId, fails, cancels })
    if (cancels) await client.operate(`cancel ${noteId}`, (app) => app.operate.cancel(messageId))
    await client.pause(world.between(0, 300))
  }
}

async function rebuild(client: Client): Promise<void> {
  if (!client.world.chance(0.3)) return
  await client.pause(client.world.between(0, 1_500))
  await rebuildByLog(client)
}

/** In small batches, so that there are some to be cut off between. */
export async function rebuildByLog(client: Client): Promise<void> {
  await client.operate('rebuild', async (app) => {
    try {
      await app.operate.projections.rebuild('by-log', { batch: 5 })
    } catch (error) {
      if (!isObverseError(error, 'REBUILD_RUNNING')) throw error
    }
  })
}
