import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onEveryStack } from './stacks.ts'

for (const orders of await onEveryStack()) {
  describe.skipIf(orders.missing)(`O-49 the command line, ${orders.stack}`, () => {
    beforeAll(() => orders.start('all'))
    afterAll(() => orders.end())

    const run = (...args: string[]) => orders.orders(...args, '--url', orders.url)

    it('health: the banner and the state of every dependency', async () => {
      const { code, stdout } = await run('health')
      expect(code).toBe(0)
      expect(stdout).toMatch(/^CQRS Event-Driven Order API$/m)
      expect(stdout).toMatch(/^\S+ +up$/m)
      expect(JSON.parse((await run('health', '--json')).stdout)).toMatchObject({
        banner: 'CQRS Event-Driven Order API',
        statusCode: 200,
        data: { status: 'up' },
      })
    })

    it('create-order: a 201', async () => {
      const { code, stdout } = await run('create-order')
      expect(code).toBe(0)
      expect(stdout).toContain('201 Order created successfully')
      const mine = ['--name', 'Ann', '--email', 'ann@example.com', '--item', 'Book: a story:2:9.50', '--total', '19']
      const { stdout: json } = await run('create-order', ...mine, '--json')
      const { data } = JSON.parse(json)
      expect(await orders.readable(data.id)).toMatchObject({
        customer_name: 'Ann',
        items: [{ product: 'Book: a story', quantity: 2, price: 9.5 }],
        total_amount: 19,
      })
    })

    it('create-order: what is refused, in words', async () => {
      const { code, stderr } = await run('create-order', '--item', 'Book:0:1')
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^400 VALIDATION_ERROR[\s\S]+items\[0\]\.quantity: /)])
    })

    it('get-orders: a list, newest first', async () => {
      const { code, stdout } = await run('get-orders')
      expect(code).toBe(0)
      expect(stdout).toMatch(/ID +CREATED[\s\S]+Ann[\s\S]+John Doe/)
      expect(JSON.parse((await run('get-orders', '--email', 'ann@example.com', '--json')).stdout).data).toHaveLength(1)
      expect((await run('get-orders', '--limit', '1')).stdout).toMatch(/^More: --cursor \S+$/m)
      expect((await run('get-orders', '--status', 'cancelled')).stdout).toBe('No orders.\n')
    })

    it('queue status: names, messages and consumers', async () => {
      const { code, stdout } = await orders.orders('queue', 'status')
      expect(code).toBe(0)
      expect(stdout).toMatch(/^QUEUE +MESSAGES +CONSUMERS/)
      expect(stdout).toMatch(/^orders_events +0 +1 /m)
    })

    it('says what is wrong with what it is told', async () => {
      for (const args of [['nonsense'], ['health', 'x'], ['get-orders', '--nope'], ['create-order', '--item', 'x']]) {
        const { code, stderr, stdout } = await run(...args)
        expect([code, stdout]).toEqual([2, ''])
        expect(stderr).toMatch(/\w/)
        expect(stderr).not.toContain('    at ')
      }
      expect((await orders.orders('--help')).code).toBe(0)
    })

    it('says that nothing answers, and still counts the queue, once the API is gone', async () => {
      await Promise.all(orders.processes.map((process) => process.stop()))
      for (const command of ['health', 'create-order', 'get-orders']) {
        const { code, stderr } = await run(command)
        expect([code, stderr]).toEqual([3, expect.stringContaining('npm start')])
      }
      const { code, stdout } = await orders.orders('queue')
      expect([code, stdout]).toEqual([0, expect.stringMatching(/^orders_events +0 +0 /m)])
    })
  })
}
