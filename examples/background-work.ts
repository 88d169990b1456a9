// One word, `channel`, moves a handler off the request: send answers with a receipt, and a failing mail is tried again.
import { command, event, handle, unchecked } from 'obverse'
import { testApp } from 'obverse/testing'

const Import = command('catalogue.import', unchecked<{ url: string }>(), { key: (c) => c.url })
const Imported = event('catalogue.imported', unchecked<{ url: string }>(), { key: (e) => e.url })

const importCatalogue = handle(Import, { channel: 'imports' }, (c, ctx) => {
  ctx.publish(Imported(c))
  return { products: 42 }
})
const mail = handle(Imported, { channel: 'mail' }, (e, ctx) => {
  console.log(`attempt ${ctx.attempt} to mail about ${e.url}`)
  if (ctx.attempt === 1) throw new Error('the mail server is slow today')
})

const { app, drain, advance } = testApp({ handlers: [importCatalogue, mail] })
const receipt = await app.send(Import({ url: 'shop.example' }))
console.log((await app.operate.status(receipt.messageId))?.state)
await drain()
console.log('done', await receipt.done())
await advance(2_000)
await app.stop()

/* prints
pending
attempt 1 to mail about shop.example
done { products: 42 }
attempt 2 to mail about shop.example
*/
