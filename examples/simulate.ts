// Fifty seeds, each with its own crashes, cuts and duplicates. A handler that keeps to `ctx` survives them all; one that counts in a
// variable of its process does not: the count is lost with the process, and differs from process to process.
import { aggregate, command, createApp, decide, event, handle, unchecked } from 'obverse'
import { commands, simulate } from 'obverse/testing'

const Place = command('orders.place', unchecked<{ orderId: string; n: number }>())
const Placed = event('orders.placed', unchecked<{ orderId: string; n: number }>(), { key: (e) => e.orderId })
const Numbered = event('invoices.numbered', unchecked<{ orderId: string; number: number }>(), { key: () => 'invoices' })

const order = aggregate('order', () => 0).on(Placed, (count) => count + 1)
const place = decide(Place, { aggregate: order, id: (c) => c.orderId }, (c) => Placed(c))

/** Numbers of invoices, which have to be different. */
async function duplicates(seed: number): Promise<boolean> {
  let duplicate = false
  await simulate({
    seed,
    compose(parts) {
      let last = 0
      const number = handle(Placed, { channel: 'invoices' }, ({ orderId }, ctx) => {
        last += 1
        ctx.publish(Numbered({ orderId, number: last }))
      })
      return createApp({ handlers: [place, number], messages: [Numbered], ...parts })
    },
    load: commands(10, (n) => Place({ orderId: `order ${n % 3}`, n })),
    async after({ store }) {
      const { events } = await store.log.after(0, 1_000, ['invoices.numbered'])
      const numbers = events.map(({ data }) => (data as { number: number }).number)
      duplicate = new Set(numbers).size < numbers.length
      return []
    },
  })
  return duplicate
}

let wrong = 0
for (let seed = 1; seed <= 50; seed += 1) if (await duplicates(seed)) wrong += 1
console.log(wrong > 0 ? 'numbers of a variable are given twice' : 'nobody has noticed')

const invoices = aggregate('invoices', () => 0).on(Numbered, (last) => last + 1)
const GiveNumber = command('invoices.number', unchecked<{ orderId: string }>(), { key: () => 'invoices' })
const giveNumber = decide(
  GiveNumber,
  { aggregate: invoices, id: () => 'invoices', channel: 'invoices' },
  ({ orderId }, last) => Numbered({ orderId, number: last + 1 }),
)
const ask = handle(Placed, { channel: 'orders' }, ({ orderId }, ctx) => {
  ctx.send(GiveNumber({ orderId }))
})
const found: string[] = []
for (let seed = 1; seed <= 50; seed += 1) {
  const report = await simulate({
    seed,
    compose: (parts) => createApp({ handlers: [place, ask, giveNumber], ...parts }),
    load: commands(10, (n) => Place({ orderId: `order ${n % 3}`, n })),
    async after({ store }) {
      const { events } = await store.log.after(0, 1_000, ['invoices.numbered'])
      const numbers = events.map(({ data }) => (data as { number: number }).number)
      return numbers.every((number, at) => number === at + 1) ? [] : [`seed ${seed} numbered ${numbers}`]
    },
  })
  found.push(...report.violations)
}
console.log('violations of an aggregate:', found.length)

/* prints
numbers of a variable are given twice
violations of an aggregate: 0
*/
