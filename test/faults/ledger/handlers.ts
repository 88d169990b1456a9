import { type AnyHandler, type Handler, handle } from 'obverse'
import { tables } from 'obverse/kysely'
import { Enter, Entered } from './messages.ts'
import type { Tables } from './tables.ts'

/** Exit code of a process that a poisoned message has ended. */
export const POISONED = 66

/** What those say that fail by themselves, once. */
export const FLAKY = 'the first attempt fails:'

/** The state of an operation and its event, in one commit. */
export const enter: Handler<typeof Enter, { readonly number: number }, undefined> = handle(
  Enter,
  { db: tables<Tables>() },
  async (op, ctx) => {
    const last = await ctx.db
      .selectFrom('ledger')
      .select((all) => all.fn.max('number').as('number'))
      .where('key', '=', op.key)
      .executeTakeFirst()
    const number = Number(last?.number ?? 0) + 1
    const { opId, key, amount } = op
    await ctx.db.insertInto('ledger').values({ op_id: opId, key, amount, number }).execute()
    ctx.publish(Entered({ ...op, number }))
    return { number }
  },
)

/** Appends what it handles, in its transaction. `pause` makes messages of different length, as real work is. */
export function applying(channel: string, pause: () => Promise<void>): AnyHandler {
  const name = `apply@${channel}`
  return handle(Entered, { channel, name, db: tables<Tables>() }, async (op, ctx) => {
    await pause()
    if (op.poison && channel === ALONE) process.exit(POISONED)
    const { opId, key, number, amount } = op
    await ctx.db.insertInto('effects').values({ handler: name, op_id: opId, key, number, amount }).execute()
    if (op.flaky && ctx.attempt === 1) throw new Error(`${FLAKY} ${opId}`)
  })
}

/** Here the handler's own transaction settles the message; … */
export const ALONE = 'alone'
/** … here a projection has it too, so that it is settled apart, after both. */
export const SHARED = 'shared'
