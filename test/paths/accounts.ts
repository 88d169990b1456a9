import { type AppOptions, answer, command, createApp, event, handle, projection, query, unchecked, view } from 'obverse'

// Deposits on accounts, and the same total read in four ways: inline, from the log, through a channel, gathered.

export interface Account {
  readonly account: string
  readonly total: number
  readonly deposits: number
}

export const Deposit = command('deposit', unchecked<{ account: string; amount: number }>())
export const Deposited = event('deposited', unchecked<{ account: string; amount: number }>(), {
  key: (e) => e.account,
})
export const Total = query('total', unchecked<{ of: string; account: string }>(), unchecked<Account | undefined>())

const row = unchecked<Account>()
const views = {
  inline: view('inline', { row, key: 'account', index: [{ order: 'total', descending: true }] }),
  log: view('log', { row, key: 'account' }),
  channel: view('channel', { row, key: 'account' }),
  gathered: view('gathered', { row, key: 'account' }),
}
export type Way = keyof typeof views
export const ways = Object.keys(views) as Way[]

function totalling(name: Way, options: Parameters<typeof projection>[2], poison?: (amount: number) => boolean) {
  return projection(`by-${name}`, views[name], options).on(Deposited, (e, rows) => {
    if (poison?.(e.amount)) throw new Error(`${name} cannot take ${e.amount}`)
    const account = name === 'gathered' ? 'all' : e.account
    rows.increment(account, { total: e.amount, deposits: 1 }, { account, total: 0, deposits: 0 })
  })
}

export interface AccountsOptions extends Pick<AppOptions<[]>, 'runtime' | 'limits'> {
  /** Amounts that the channel's projection fails on. */
  readonly poison?: (amount: number) => boolean
}

export function accounts(store: AppOptions<[]>['store'], { poison, ...options }: AccountsOptions = {}) {
  return createApp({
    handlers: [
      handle(Deposit, (c, ctx) => ctx.publish(Deposited(c))),
      answer(Total, (q, ctx) => ctx.view(views[q.of as Way]).get(q.account)),
    ],
    projections: [
      totalling('inline', { feed: 'inline' }),
      totalling('log', {}),
      totalling('channel', { feed: { channel: 'totals' } }, poison),
      totalling('gathered', { gathering: true }),
    ],
    channels: { totals: { retry: { retries: 1, delay: 1 } } },
    store,
    ...options,
  })
}
