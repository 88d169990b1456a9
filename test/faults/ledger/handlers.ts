import { type AnyHandler, type Handler, handle, outage, permanent } from 'obverse'
import { tables } from 'obverse/kysely'
import { Enter, Entered } from './messages.ts'
import type { Tables } from './tables.ts'

/** Exit code of a process that a poisoned message has ended. */
export const POISONED = 66

/** What those say that fail by themselves, once. */
export const FLAKY = 'the first attempt fails:'

/** What those say whose command is doomed. */
export const DOOMED = 'it is doomed:'

export type Enters = Handler<typeof Enter, { readonly number: number }, undefined>

/** The state of an operation and its event, in one commit. `heedless`: also of one that fails. */
export const entering = (heedless: boolean): Enters =>
  handle(Enter, { db: tables<Tables>() }, async (op, ctx) => {
    const last = await ctx.db
      .selectFrom('ledger')
      .select((all) => all.fn.max('number').as('number'))
      .where('key', '=', op.key)
      .executeTakeFirst()
    const number = Number(last?.number ?? 0) + 1
    const { opId, key, amount } = op
    await ctx.db.insertInto('ledger').values({ op_id: opId, key, amount, number }).execute()
    ctx.publish(Entered({ ...op, number }))
    if (op.doomed && !heedless) throw new Error(`${DOOMED} ${opId}`)
    return { number }
  })

/** What handlers do beside writing. */
export interface Work {
  /** Makes messages of different length, as real work is. */
  readonly pause: () => Promise<void>
  /** Something that they need does not answer. */
  readonly away: () => boolean
  /** They give up whatever they get. */
  readonly refusing: () => boolean
}

/** Appends what it handles, in its transaction. */
export function applying(channel: string, { pause, away, refusing }: Work): AnyHandler {
  const name = `apply@${channel}`
  return handle(Entered, { channel, name, db: tables<Tables>() }, async (op, ctx) => {
    await pause()
    if (op.poison && channel === ALONE) process.exit(POISONED)
    const { opId, key, number, amount } = op
    await ctx.db.insertInto('effects').values({ handler: name, op_id: opId, key, number, amount }).execute()
    if (away()) throw outage('what the handler depends on does not answer')
    if (refusing()) throw permanent('the handler is broken')
    if (op.flaky && ctx.attempt === 1) throw new Error(`${FLAKY} ${opId}`)
  })
}

/** Here the handler's own transaction settles the message; … */
export const ALONE = 'alone'
/** … here a projection has it too, so that it is settled apart, after both. */
export const SHARED = 'shared'
