// Starting on servers: where they are, what is said when they are not there.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { killAll, root, runToEnd, start, temporaryFolder } from '../../../test/processes.ts'
import { setFolder } from '../../../test/servers/place.ts'
import main from '../main.ts'
import { serverUrls } from '../servers.ts'
import { freshServers } from './on-servers.ts'

const nowhere = temporaryFolder('no-servers')
/** In which `npm run servers` has started nothing. */
const none = { OBVERSE_SERVERS_DIR: nowhere.path }
const given = {
  ...none,
  DATABASE_URL: 'postgres://ann:secret@db.example:1/shop',
  AMQP_URL: 'amqp://ann:secret@mq.example:1/shop',
  MONGODB_URL: 'mongodb://ann:secret@docs.example:1/shop',
}
afterEach(killAll)
afterAll(() => nowhere.remove())

describe('where the servers are', () => {
  it('is what the environment says', async () => {
    expect(await serverUrls(given)).toEqual({
      database: given.DATABASE_URL,
      amqp: given.AMQP_URL,
      management: undefined,
      documents: given.MONGODB_URL,
    })
    expect((await serverUrls({ ...given, AMQP_MANAGEMENT_URL: 'http://mq.example' })).management).toBe(
      'http://mq.example',
    )
  })

  it.each([
    ['mongodb://a.example', 'mongodb://a.example/orders'],
    ['mongodb://a.example:1,b.example:2/', 'mongodb://a.example:1,b.example:2/orders'],
    ['mongodb+srv://u:p@a.example?w=1', 'mongodb+srv://u:p@a.example/orders?w=1'],
    ['mongodb://a.example/mine?w=1', 'mongodb://a.example/mine?w=1'],
  ])('documents at %s are in %s', async (MONGODB_URL, documents) => {
    expect((await serverUrls({ ...given, MONGODB_URL })).documents).toBe(documents)
  })

  it.each(['DATABASE_URL', 'AMQP_URL', 'MONGODB_URL'] as const)('needs %s, and says so', async (variable) => {
    const env = { ...given, ORDERS_ON: 'servers', [variable]: '' }
    await expect(main(env)).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringMatching(new RegExp(`^${variable} .+npm run servers -- up$`)),
    })
  })

  it.each([
    [{ ORDERS_ON: 'clouds' }, 'ORDERS_ON is "clouds"'],
    [{ ORDERS_PARTITIONS: '0' }, 'ORDERS_PARTITIONS is "0"'],
    [{ ORDERS_PARTITIONS: 'two' }, 'ORDERS_PARTITIONS is "two"'],
    [{ ORDERS_ON: 'servers', ...given, AMQP_URL: 'http://mq.example' }, 'RabbitMQ'],
  ])('refuses %o', async (env, told) => {
    const invalid = { code: 'CONFIGURATION_INVALID', message: expect.stringContaining(told) }
    await expect(main(env)).rejects.toMatchObject(invalid)
  })
})

describe('a start on servers that cannot be', () => {
  it.each([
    [['--on', 'clouds'], 2, 'clouds'],
    [['--on', 'servers', '--data', 'x'], 2, '--data'],
    [['--on', 'servers'], 1, 'DATABASE_URL'],
  ])('%o ends with %i', async (args, code, told) => {
    const ended = await runToEnd('apps/start.ts', ['orders', '--port', '0', ...args], { env: none })
    expect([ended.code, ended.stdout]).toEqual([code, ''])
    expect(ended.stderr).toContain(told)
    expect(ended.stderr).not.toContain('    at ')
  })

  it('without PostgreSQL says where it was looked for, and no password', async () => {
    const env = { ...given, DATABASE_URL: 'postgres://ann:secret@127.0.0.1:1/shop' }
    const { code, stderr, output } = await runToEnd('apps/start.ts', ['--on', 'servers', '--port', '0'], { env })
    expect([code, stderr]).toEqual([1, expect.stringContaining('Cannot start: PostgreSQL at 127.0.0.1:1')])
    expect(output).not.toContain('secret')
    expect(stderr).not.toContain('    at ')
  })

  it.each(['queue', 'queue --on clouds'])('%s says what is missing', async (words) => {
    const { code, stderr } = await runToEnd('apps/orders/cli.ts', words.split(' '), {
      env: { ...none, ORDERS_ON: 'servers' },
    })
    expect([code, stderr]).toEqual(
      words === 'queue' ? [3, expect.stringContaining('DATABASE_URL')] : [2, expect.stringContaining('clouds')],
    )
  })
})

const { postgres, rabbitmq, mongodb } = await freshServers()
describe.skipIf(postgres.missing)('a start on servers', () => {
  it('needs neither RabbitMQ nor MongoDB: it takes orders, and says what is down', async () => {
    const down = { AMQP_URL: 'amqp://ann:secret@127.0.0.1:1', MONGODB_URL: 'mongodb://ann:secret@127.0.0.1:2' }
    const env = { ...none, ...down, DATABASE_URL: postgres.url }
    const api = start('apps/start.ts', ['orders', '--on', 'servers', '--port', '0'], { env })
    const url = (await api.printed(/API +(http:\S+)/, 30_000))[1]
    expect(api.stdout).toMatch(/servers +PostgreSQL/)
    expect(api.stdout).toMatch(/DOWN: .*RabbitMQ at 127\.0\.0\.1:1/)
    expect(api.stdout).toMatch(/DOWN: .*MongoDB 127\.0\.0\.1:2/)
    await api.printed(/^Ready\./m)
    const { stdout } = await runToEnd('apps/orders/cli.ts', ['create-order', '--url', url as string])
    expect(stdout).toContain('201 Order created successfully')
    const health = await runToEnd('apps/orders/cli.ts', ['health', '--url', url as string])
    expect([health.code, health.stdout]).toEqual([
      1,
      expect.stringMatching(/store +up\nrabbitmq +down\nviews orders +down/),
    ])
    const list = await fetch(`${url}/orders`)
    expect([list.status, list.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)])
    expect(await api.stop()).toEqual({ code: 0, signal: null })
    expect(api.output).not.toContain('secret')
  })
})

const set = { OBVERSE_SERVERS_DIR: setFolder('orders') }
afterAll(() => runToEnd('scripts/servers.ts', ['down'], { env: set, timeout: 60_000 }))

describe.skipIf(postgres.missing ?? rabbitmq.missing ?? mongodb.missing)(
  'the three commands of the README',
  { timeout: 90_000 },
  () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    const commands = /^## On PostgreSQL[^`]+```\n([^`]+)```/m.exec(readme)?.[1]?.trim().split('\n') ?? []
    const files = { servers: 'scripts/servers.ts', start: 'apps/start.ts', orders: 'apps/orders/cli.ts' }
    /** Its file, and what it is given: all but `--install`, which changes the machine. */
    const parsed = commands.map((command) => {
      const [, script = '', words = ''] = /^npm (?:run )?(\w+) -- (.+)$/.exec(command) ?? []
      return [files[script as keyof typeof files], words.split(' ').filter((word) => word !== '--install')] as const
    })

    it('start servers, start the orders on them, and look into the queue', async () => {
      expect(parsed.map(([file]) => file)).toEqual(Object.values(files))
      const [up, serve, look] = parsed as [(typeof parsed)[0], (typeof parsed)[0], (typeof parsed)[0]]
      const upped = await runToEnd(...up, { env: set, timeout: 80_000 })
      expect(upped.code, upped.output).toBe(0)
      const api = start(...serve, { env: { ...set, PORT: '0' } })
      const url = (await api.printed(/API +(http:\S+)/, 30_000))[1] as string
      expect((await runToEnd(files.orders, ['create-order', '--url', url])).code).toBe(0)
      await api.printed(/^Processed event: order\.created$/m)
      const { code, stdout } = await runToEnd(...look, { env: set })
      expect([code, stdout]).toEqual([0, expect.stringMatching(/^orders_events +0 +1 +0 +0$/m)])
      expect(await api.stop()).toEqual({ code: 0, signal: null })
      const tool = await runToEnd('src/cli/bin.ts', ['projections', 'list'], { env: { ...set, ORDERS_ON: 'servers' } })
      expect([tool.code, tool.stdout]).toEqual([
        0,
        expect.stringMatching(/order-list +orders +mongodb +channel orders_events +1/),
      ])
      await runToEnd('scripts/servers.ts', ['down'], { env: set, timeout: 60_000 })
      await expect(serverUrls(set)).rejects.toThrow('DATABASE_URL')
    })
  },
)
