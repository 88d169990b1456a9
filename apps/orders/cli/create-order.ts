import { SAMPLE } from '../sample.ts'
import { printFailure, request } from './api.ts'
import { type Command, Failed, text, type Values } from './command.ts'

export const createOrderCommand: Command = {
  says: 'creates an order; without options, the sample',
  usage: [
    '--name NAME --email EMAIL',
    '--item PRODUCT:QUANTITY:PRICE   as often as needed',
    '--total AMOUNT                  left out: computed by the server',
    '--idempotency-key KEY           a repeat gives the same answer',
  ],
  options: {
    name: { type: 'string' },
    email: { type: 'string' },
    item: { type: 'string', multiple: true },
    total: { type: 'string' },
    'idempotency-key': { type: 'string' },
  },
  async run(values) {
    const key = text(values, 'idempotency-key')
    const answer = await request(values, '/orders', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
      body: JSON.stringify(bodyOf(values)),
    })
    if (values.json) console.log(answer.text)
    else if (answer.status !== 201) printFailure(answer)
    else {
      const { data } = answer.json as { data: { id: string; message: string } }
      console.log(`${answer.status} ${data.message}\n`)
      console.log(`  id        ${data.id}\n  location  ${answer.headers.get('location')}`)
      console.log(`  token     ${answer.headers.get('consistency-token')}`)
    }
    return answer.status === 201 ? 0 : 1
  },
}

function bodyOf(values: Values): object {
  const [name, email, total] = [text(values, 'name'), text(values, 'email'), text(values, 'total')]
  const items = (values.item as string[] | undefined)?.map(itemOf)
  return {
    customer_name: name ?? SAMPLE.customer_name,
    customer_email: email ?? SAMPLE.customer_email,
    items: items ?? SAMPLE.items,
    ...(total !== undefined && { total_amount: Number(total) }),
  }
}

/** The product may have colons in it; the two numbers may not. */
function itemOf(given: string): object {
  const [, product, quantity, price] = /^(.*):([^:]+):([^:]+)$/.exec(given) ?? []
  if (product === undefined) throw new Failed(2, `--item ${given} is not PRODUCT:QUANTITY:PRICE, as Laptop:1:999.99`)
  return { product, quantity: Number(quantity), price: Number(price) }
}
