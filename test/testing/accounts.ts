import { aggregate, command, decide, event, handle, permanent, refuse, unchecked } from 'obverse'
import { z } from 'zod'

/** A small model for the tests of the test kit. */
export const Open = command('account.open', z.object({ id: z.string().min(1), limit: z.number().default(100) }))
export const Deposit = command('account.deposit', unchecked<{ id: string; amount: number }>())
export const Opened = event('account.opened', z.object({ id: z.string(), limit: z.number() }), { key: (e) => e.id })
export const Deposited = event('account.deposited', unchecked<{ id: string; amount: number }>(), { key: (e) => e.id })
export const Note = command('note.write', unchecked<{ text: string }>())

export const account = aggregate('account', () => ({ open: false, balance: 0 }))
  .on(Opened, (state) => ({ ...state, open: true }))
  .on(Deposited, (state, e) => ({ ...state, balance: state.balance + e.amount }))

export const openAccount = decide(Open, { aggregate: account, id: (c) => c.id }, (c, state) =>
  state.open ? refuse('already open', { reason: 'twice' }) : Opened(c),
)
export const deposit = decide(Deposit, { aggregate: account, id: (c) => c.id }, (c, state) => {
  if (!state.open) return refuse('no such account', { code: 'NOT_FOUND' })
  return state.balance + c.amount > 100 ? [] : [Deposited(c)]
})

/** Events in the order in which the handler saw them. */
export function listener(seen: unknown[], fail: (data: unknown) => boolean = () => false) {
  return handle(Deposited, { channel: 'mail', name: 'listener' }, (data) => {
    if (fail(data)) throw permanent('bad deposit')
    seen.push(data)
  })
}
