import {
  type AnyHandler,
  type App,
  aggregate,
  answer,
  createApp,
  decide,
  handle,
  permanent,
  projection,
  unchecked,
  view,
} from 'obverse'
import type { SimulatedHost, SimulatedParts } from 'obverse/testing'
import {
  Applied,
  Enter,
  Entered,
  Note,
  Noted,
  Remind,
  Reminded,
  type Sum,
  SumOf,
  VIEWS,
  type ViewName,
} from './messages.ts'

/** Milliseconds after which an operation is reminded of. */
export const LATER = 700

/** Rows of the gathering view. */
export const BUCKETS = 3
export const bucketOf = (amount: number): string => `bucket ${amount % BUCKETS}`

const account = aggregate('account', () => 0).on(Entered, (_, e) => e.number)

const enter = decide(Enter, { aggregate: account, id: (c) => c.key }, (op, count) =>
  Entered({ ...op, number: count + 1 }),
)

const sums = (name: string) => view(name, { row: unchecked<Sum>(), key: 'name' })
const none = (name: string): Sum => ({ name, count: 0, total: 0 })
const views = Object.fromEntries(VIEWS.map((name) => [name, sums(name)])) as Record<ViewName, ReturnType<typeof sums>>

const counting = (name: string, of: ViewName, feed: 'log' | 'inline' | { readonly channel: string }) =>
  projection(name, views[of], { feed }).on(Entered, ({ key, amount }, rows) =>
    rows.increment(key, { count: 1, total: amount }, none(key)),
  )

const projections = [
  counting('by-channel', 'by_channel', { channel: 'shared' }),
  counting('by-log', 'by_log', 'log'),
  counting('at-once', 'at_once', 'inline'),
  counting('apart', 'apart', 'log'),
  projection('tally', views.tally, { gathering: true }).on(Applied, ({ lane, number }, rows) =>
    rows.increment(lane, { count: 1, total: number }, none(lane)),
  ),
  projection('gathered', views.gathered, { gathering: true }).on(Entered, ({ amount }, rows) =>
    rows.increment(bucketOf(amount), { count: 1, total: amount }, none(bucketOf(amount))),
  ),
]

/** What is outside of all processes. */
export interface Surroundings {
  /** What is wrong with poisoned operations was mended. */
  mended: boolean
  /** Message ids of reminders → epoch ms before which they are not to come. */
  readonly due: Map<string, number>
}

/** One process of the application under simulation. */
export function composeLedger(parts: SimulatedParts, host: SimulatedHost, outside: Surroundings): App {
  const applying = (lane: 'alone' | 'shared'): AnyHandler =>
    handle(Entered, { channel: lane, name: `apply@${lane}` }, async (op, ctx) => {
      const { opId, key, number } = op
      if (lane === 'alone') {
        if (op.crashes && !outside.mended) await host.crash('of a message')
        if (op.poison && !outside.mended) throw permanent(`${opId} is poisoned`)
        if (op.flaky && ctx.attempt === 1) throw new Error(`the first attempt fails: ${opId}`)
      }
      if (number % 2 === 0) await host.pause(op.amount / 4)
      ctx.publish(Applied({ lane, key, opId, number }))
      if (lane === 'shared')
        outside.due.set(ctx.send(Remind({ opId, key }), { delay: LATER }), ctx.now().getTime() + LATER)
    })
  const remind = handle(Remind, { channel: 'later' }, ({ opId }, ctx) =>
    ctx.publish(Reminded({ opId, reminder: ctx.messageId, at: ctx.now().getTime() })),
  )
  const note = handle(Note, { channel: 'later' }, ({ noteId, fails }, ctx) => {
    if (fails) throw permanent(`${noteId} cannot be noted`)
    ctx.publish(Noted({ noteId }))
    return noteId
  })
  const sum = answer(SumOf, async ({ view, name }, ctx) => (await ctx.view(views[view]).get(name)) ?? null)
  const channel = { retry: { retries: 3, delay: 50, factor: 1.5 }, concurrency: 4 }
  return createApp({
    name: 'ledger',
    handlers: [enter, applying('alone'), applying('shared'), remind, note, sum],
    projections,
    channels: { alone: channel, shared: channel, later: channel },
    messages: [Applied, Reminded, Noted],
    views: { apart: host.views },
    ...parts,
  })
}
