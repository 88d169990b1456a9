// A command for later, another that is called off: on a clock that the test moves, so that an hour costs nothing.
import { command, handle, unchecked } from 'obverse'
import { testApp } from 'obverse/testing'

const Remind = command('order.remind', unchecked<{ orderId: string }>(), { key: (c) => c.orderId })
const remind = handle(Remind, { channel: 'reminders' }, (c) => console.log(`reminded ${c.orderId}`))

const { app, advance } = testApp({ handlers: [remind] })
await app.send(Remind({ orderId: 'o-1' }), { delay: 3_600_000 })
const second = await app.send(Remind({ orderId: 'o-2' }), { delay: 3_600_000 })
console.log('cancelled', await app.operate.cancel(second.messageId))
await advance(3_599_000)
console.log('59 minutes and 59 seconds have passed')
await advance(1_000)
console.log((await app.operate.status(second.messageId))?.state)
await app.stop()

/* prints
cancelled true
59 minutes and 59 seconds have passed
reminded o-1
cancelled
*/
