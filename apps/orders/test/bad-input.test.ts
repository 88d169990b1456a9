import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Installation, type Json, SAMPLE } from './installation.ts'
import { onEveryStack } from './stacks.ts'

/** Nothing of ours: no stack, no file, no name of a table, a package or an error class. */
const INTERNAL =
  /node_modules|\.ts\b|\\n +at |sqlite|postgres|rabbit|amqp|mongo|kysely|zod|obverse|fastify|FST_|Error:/i

const item = SAMPLE.items[0]
const fieldErrors: [row: string, what: string, body: unknown, fields: string[]][] = [
  ['O-19', 'nothing', {}, ['customer_name', 'customer_email', 'items']],
  ['O-22', 'a number as name', { ...SAMPLE, customer_name: 123 }, ['customer_name']],
  ['O-22', 'a text as items', { ...SAMPLE, items: 'x' }, ['items']],
  ['O-22', 'null as name', { ...SAMPLE, customer_name: null }, ['customer_name']],
  ['O-22', 'a number as text', { ...SAMPLE, items: [{ ...item, quantity: '1' }] }, ['items[0].quantity']],
  ['O-22', 'a price as text', { ...SAMPLE, items: [{ ...item, price: '1.00' }] }, ['items[0].price']],
  ['O-22', 'a total as text', { ...SAMPLE, total_amount: '1049.99' }, ['total_amount']],
  ['O-23', 'a bad email', { ...SAMPLE, customer_email: 'nope' }, ['customer_email']],
  ['O-23', 'an endless email', { ...SAMPLE, customer_email: `${'a'.repeat(400)}@example.com` }, ['customer_email']],
  ['O-23', 'no items', { ...SAMPLE, items: [] }, ['items']],
  ['O-23', 'an item that is null', { ...SAMPLE, items: [null] }, ['items[0]']],
  ['O-23', 'quantity 0', { ...SAMPLE, items: [{ ...item, quantity: 0 }] }, ['items[0].quantity']],
  ['O-23', 'quantity 1.5', { ...SAMPLE, items: [{ ...item, quantity: 1.5 }] }, ['items[0].quantity']],
  ['O-23', 'quantity 1,000,001', { ...SAMPLE, items: [{ ...item, quantity: 1_000_001 }] }, ['items[0].quantity']],
  ['O-23', 'price -1', { ...SAMPLE, items: [item, { ...item, price: -1 }] }, ['items[1].price']],
  ['O-23', 'price 1,000,000,000.01', { ...SAMPLE, items: [{ ...item, price: 1_000_000_000.01 }] }, ['items[0].price']],
  ['O-23', 'three decimals', { ...SAMPLE, items: [{ ...item, price: 1.005 }] }, ['items[0].price']],
  ['O-23', 'a hair of a price', { ...SAMPLE, items: [{ ...item, price: 1e-9 }] }, ['items[0].price']],
  ['O-23', 'an unknown field', { ...SAMPLE, colour: 'red' }, ['colour']],
  [
    'O-23',
    'unknown fields of an item',
    { ...SAMPLE, items: [{ ...item, sku: 1, id: 2 }] },
    ['items[0].sku', 'items[0].id'],
  ],
  ['limits', 'an empty name', { ...SAMPLE, customer_name: '' }, ['customer_name']],
  ['limits', 'a blank name', { ...SAMPLE, customer_name: ' \t\u00a0' }, ['customer_name']],
  ['limits', 'a name of 256', { ...SAMPLE, customer_name: 'x'.repeat(256) }, ['customer_name']],
  ['limits', 'a name of 900,000', { ...SAMPLE, customer_name: 'x'.repeat(900_000) }, ['customer_name']],
  ['limits', 'NUL in a name', { ...SAMPLE, customer_name: 'a\0b' }, ['customer_name']],
  ['limits', 'half a character', { ...SAMPLE, customer_name: 'a\ud800' }, ['customer_name']],
  ['limits', 'NUL in a product', { ...SAMPLE, items: [{ ...item, product: '\0' }] }, ['items[0].product']],
  ['limits', 'a product of 256', { ...SAMPLE, items: [{ ...item, product: 'x'.repeat(256) }] }, ['items[0].product']],
]

const unreadable: [row: string, what: string, body: string | Uint8Array][] = [
  ['O-20', 'broken JSON', '{"customer_name":'],
  ['body', 'nothing', ''],
  ['body', 'an array', '[]'],
  ['body', 'a text', '"{}"'],
  ['body', 'a number', '1'],
  ['body', 'null', 'null'],
  ['body', 'NaN', `${JSON.stringify(SAMPLE).slice(0, -1)},"total_amount":NaN}`],
  ['body', 'objects 10,000 deep', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
  ['body', 'arrays 100,000 deep', '['.repeat(100_000) + ']'.repeat(100_000)],
  ['body', 'bytes that are not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
]

for (const orders of await onEveryStack()) {
  describe.skipIf(orders.missing)(`bad input, ${orders.stack}`, () => {
    beforeAll(() => orders.start('api'))
    afterAll(() => orders.end())

    const rows = () => Promise.all([orders.count('orders'), orders.count('obverse_event')])

    async function refused(send: () => ReturnType<Installation['post']>, status: number, type: string): Promise<Json> {
      const before = await rows()
      const answer = await send()
      expect([answer.status, answer.json?.error?.type], answer.text).toEqual([status, type])
      expect(answer.json.statusCode).toBe(status)
      expect(answer.text).not.toMatch(INTERNAL)
      expect(await rows()).toEqual(before)
      return answer.json.error
    }

    it.each(fieldErrors)('%s: %s is a 400 that names the field', async (_, __, body, fields) => {
      const error = await refused(() => orders.post(body), 400, 'VALIDATION_ERROR')
      expect(Object.keys(error.fields)).toEqual(fields)
      for (const texts of Object.values(error.fields) as string[][]) {
        expect(texts.length).toBeGreaterThan(0)
        for (const text of texts) expect(text).toMatch(/\w/)
      }
    })

    it.each(unreadable)('%s: %s is a 400', async (_, __, body) => {
      const error = await refused(() => orders.post(body), 400, 'BAD_REQUEST')
      expect(error).not.toHaveProperty('fields')
    })

    it('fields named like members of Object are unknown fields', async () => {
      const body = `{"__proto__":{"admin":true},"constructor":1,"toString":2,${JSON.stringify(SAMPLE).slice(1)}`
      const error = await refused(() => orders.post(body), 400, 'VALIDATION_ERROR')
      expect(Object.keys(error.fields).toSorted()).toEqual(['__proto__', 'constructor', 'toString'])
    })

    it('numbers beyond JSON are refused by name', async () => {
      const body = JSON.stringify(SAMPLE).replace('999.99', '1e400')
      const error = await refused(() => orders.post(body), 400, 'VALIDATION_ERROR')
      expect(Object.keys(error.fields)).toEqual(['items[0].price'])
    })

    it('of a field that is there twice the last counts, as everywhere in JSON', async () => {
      const body = `{"customer_name":5,${JSON.stringify(SAMPLE).slice(1)}`
      expect((await orders.post(body)).status).toBe(201)
      const error = await refused(
        () => orders.post(`${JSON.stringify(SAMPLE).slice(0, -1)},"items":[]}`),
        400,
        'VALIDATION_ERROR',
      )
      expect(Object.keys(error.fields)).toEqual(['items'])
    })

    it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'multipart/form-data', 'x'])(
      'content type %s is a 415',
      (type) =>
        refused(
          () => orders.post(JSON.stringify(SAMPLE), { 'content-type': type }),
          415,
          'BAD_REQUEST',
        ) as Promise<void>,
    )

    it('a body of 2 MB is a 413, and one of exactly 1 MiB is read', async () => {
      await refused(() => orders.post({ ...SAMPLE, note: 'x'.repeat(2_000_000) }), 413, 'BAD_REQUEST')
      const one = JSON.stringify({ ...SAMPLE, total_amount: undefined })
      const full = one + ' '.repeat(1_048_576 - one.length)
      expect((await orders.post(full)).status).toBe(201)
      await refused(() => orders.post(`${full} `), 413, 'BAD_REQUEST')
    })

    it('an order with as many items as a body can hold is taken whole', async () => {
      const each = { product: 'p', quantity: 1, price: 1 }
      const most = Math.floor((1_048_576 - 200) / (JSON.stringify(each).length + 1))
      const answer = await orders.post({ ...SAMPLE, items: Array(most).fill(each), total_amount: most })
      expect(answer.status).toBe(201)
      const [{ n }] = await orders.rows('SELECT count(*) AS n FROM order_items WHERE order_id = ?', answer.json.data.id)
      expect(n).toBe(most)
    })

    it('the longest texts are taken as they are', async () => {
      const customer_name = '😀'.repeat(255)
      const answer = await orders.post({
        ...SAMPLE,
        customer_name,
        items: [{ ...item, product: `"'\\\n${'é'.repeat(251)}` }],
        total_amount: undefined,
      })
      expect(answer.status).toBe(201)
      expect(await orders.rows('SELECT customer_name FROM orders WHERE id = ?', answer.json.data.id)).toEqual([
        { customer_name },
      ])
    })

    it.each(['', ' ', 'x'.repeat(256), 'caf\u00e9'])('idempotency key %j is a 400', async (key) => {
      await refused(() => orders.post(SAMPLE, { 'idempotency-key': key }), 400, 'BAD_REQUEST')
    })

    it.each(['/orders/%zz', '/%', '/orders/%c0%af'])('the address %s is a 400', async (path) => {
      await refused(() => orders.get(path), 400, 'BAD_REQUEST')
    })

    it.each(['NONSENSE\r\n\r\n', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`])(
      'bytes that are not HTTP, or too many headers, get an answer in the envelope',
      async (bytes) => {
        const { port } = new URL(orders.url)
        const text = await new Promise<string>((resolve, reject) => {
          let got = ''
          const socket = connect(Number(port), 'localhost', () => socket.write(bytes))
          socket.on('data', (some) => {
            got += some
          })
          socket.on('close', () => resolve(got))
          socket.on('error', reject)
        })
        const { statusCode, error } = JSON.parse(text.split('\r\n\r\n')[1] as string)
        expect([statusCode, error.type]).toEqual([Number(text.slice(9, 12)), 'BAD_REQUEST'])
      },
    )

    it('leaves the API as it was', async () => {
      expect((await orders.post(SAMPLE)).status).toBe(201)
      expect(orders.processes[0]?.exit).toBeUndefined()
      expect(orders.processes[0]?.stderr).toBe('')
    })
  })
}
