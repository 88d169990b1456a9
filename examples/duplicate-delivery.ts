// The same message twice, as any broker may deliver it: the inbox and the guard of the row let it take effect once.
import { command, createApp, event, handle, projection, unchecked, view } from 'obverse'
import { memory } from 'obverse/memory'

const Deposit = command('deposit', unchecked<{ account: string; amount: number }>())
const Deposited = event('deposited', unchecked<{ account: string; amount: number }>(), { key: (e) => e.account })
const deposit = handle(Deposit, (c, ctx) => ctx.publish(Deposited(c)))
const notify = handle(Deposited, { channel: 'bank' }, (e) => console.log(`notified of ${e.amount}`))

const balances = view('balances', { row: unchecked<{ account: string; balance: number }>(), key: 'account' })
const balance = projection('balance', balances, { feed: { channel: 'bank' } }).on(Deposited, (e, rows) =>
  rows.increment(e.account, { balance: e.amount }, { account: e.account, balance: 0 }),
)

const app = createApp({ handlers: [deposit, notify], projections: [balance], store: memory() })
await app.send(Deposit({ account: 'a', amount: 5 }))
const [message] = await app.operate.channels.peek('bank', 1)
await app.operate.channels.put('bank', message ?? '')
await app.operate.channels.put('bank', 'not json')
console.log('handled', await app.drain())
console.log('different from the log:', (await app.operate.projections.verify('balance')).different)
console.log(
  'dead letters:',
  (await app.operate.deadLetters.list()).map(({ code }) => code),
)
await app.stop()

/* prints
notified of 5
handled 3
different from the log: []
dead letters: [ 'MESSAGE_MALFORMED' ]
*/
