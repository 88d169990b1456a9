import type { Broker, Finding } from 'obverse'
import { describe, expect, test } from 'vitest'
import { fresh, management, type Space } from '../../servers.ts'
import { Inbox, messages, open, servers, stranger, until, working } from './world.ts'

const finding = async (broker: Broker, subject: string): Promise<Finding | undefined> =>
  (await broker.examine?.())?.find((one) => one.subject === subject && one.level !== 'ok')

/** A user who may do what is given and nothing else, and a URL with it. */
async function asUser(space: Space, rights: { configure: string; write: string; read: string }): Promise<string> {
  const name = `user_${space.space}`
  const api = space.management ?? ''
  await management(api, 'PUT', `/users/${name}`, { password: 'of-the-user', tags: '' })
  await management(api, 'PUT', `/permissions/${space.space}/${name}`, rights)
  const url = new URL(space.url)
  url.username = name
  url.password = 'of-the-user'
  return url.href
}

describe.each(servers)('an examination of $name $version', (home) => {
  describe.skipIf(home.missing !== undefined)('of a broker', () => {
    test('finds nothing wrong where nothing is', async () => {
      const { broker } = await working(home, {}, { partitions: 2 })
      const findings = (await broker.examine?.()) ?? []
      expect(findings.filter(({ level }) => level !== 'ok')).toEqual([])
      expect(findings).toContainEqual({
        level: 'ok',
        subject: 'rabbitmq',
        says: expect.stringMatching(/^RabbitMQ \d+\.\d+\.\d+ at .*, quorum queues$/),
      })
    })

    test('says what classic queues do not keep', async () => {
      const { broker } = await working(home, { queues: 'classic' })
      expect(await finding(broker, 'rabbitmq')).toMatchObject({
        level: 'warning',
        remedy: expect.stringContaining('quorum'),
      })
    })

    test('names a queue that is missing, and one that a policy empties', async () => {
      const { broker, space } = await working(home)
      await broker.declare([{ name: 'gone' }])
      const channel = await (await stranger(space.url)).createChannel()
      await channel.deleteQueue('gone')
      const policy = { pattern: '^work$', definition: { 'message-ttl': 60_000 }, 'apply-to': 'queues' }
      await management(space.management ?? '', 'PUT', `/policies/${space.space}/short-lived`, policy)
      expect(await finding(broker, 'queue gone')).toMatchObject({
        level: 'error',
        says: expect.stringContaining('not there'),
      })
      const policed = await until('the policy', () => finding(broker, 'queue work'))
      expect(policed).toMatchObject({ says: expect.stringMatching(/policy short-lived sets message-ttl 60000/) })
    })

    test('counts what was given up and nobody takes back', async () => {
      const { broker, space } = await working(home)
      const channel = await (await stranger(space.url)).createConfirmChannel()
      channel.sendToQueue('failed_messages', Buffer.from('{}'))
      await channel.waitForConfirms()
      expect(await finding(broker, 'queue failed_messages')).toMatchObject({
        level: 'warning',
        says: expect.stringMatching(/^1 messages/),
      })
      await broker.givenUp?.(async () => {})
      await until('it to be fine', async () => !(await finding(broker, 'queue failed_messages')))
    })

    test('says when the management plugin does not answer, and works without', async () => {
      const space = await fresh(home)
      const broker = await open(space, { management: 'http://127.0.0.1:1' })
      await broker.declare([{ name: 'work' }])
      expect(await finding(broker, 'rabbitmq alarms')).toMatchObject({
        level: 'warning',
        remedy: expect.stringContaining('option management'),
      })
    })

    test('asks for more time where handlers need more than servers wait', async () => {
      const { broker } = await working(home, {}, { timeout: 3_600_000 })
      const found = await finding(broker, 'channel work')
      if (home.version.startsWith('3.10')) {
        expect(found).toMatchObject({ level: 'warning', remedy: expect.stringContaining('consumer_timeout = 3900000') })
      } else {
        expect(found).toBeUndefined()
      }
    })
  })

  describe.skipIf(home.missing !== undefined)('of permissions', () => {
    test('a user who may configure nothing uses what is there, and is told that nobody compared it', async () => {
      const { broker: owner, space } = await working(home)
      const url = await asUser(space, { configure: '^$', write: '.*', read: '.*' })
      const broker = await open({ url, management: undefined })
      await broker.declare([{ name: 'work' }])
      await broker.publish(messages(2))
      const inbox = new Inbox({ ack: true })
      await broker.subscribe('work', inbox.options)
      await inbox.came(2)
      expect(await finding(broker, 'queue work')).toMatchObject({
        level: 'warning',
        says: expect.stringContaining('may not declare it'),
      })
      await expect(broker.declare([{ name: 'other' }])).rejects.toMatchObject({
        code: 'CONFIGURATION_INVALID',
        message: expect.stringContaining('Permit it: rabbitmqctl set_permissions'),
      })
      await owner.close()
    })

    test('a user who may not write is told so, and so is whoever publishes', async () => {
      const { space } = await working(home)
      const url = await asUser(space, { configure: '.*', write: '^(work|failed_messages)$', read: '.*' })
      const broker = await open({ url, management: undefined })
      await broker.declare([{ name: 'work' }]).catch(() => {})
      expect(await finding(broker, 'exchange obverse')).toMatchObject({
        level: 'error',
        says: expect.stringContaining('ACCESS_REFUSED'),
      })
    })

    test('a user who may not read is told so, and so is whoever subscribes', async () => {
      const { space } = await working(home)
      const url = await asUser(space, { configure: '.*', write: '.*', read: '^(obverse|failed_messages)$' })
      const broker = await open({ url, management: undefined })
      await broker.declare([{ name: 'work' }]).catch(() => {})
      await expect(broker.subscribe('work', new Inbox().options)).rejects.toMatchObject({
        code: 'CONFIGURATION_INVALID',
      })
      expect(await finding(broker, 'queue work')).toMatchObject({
        level: 'error',
        says: expect.stringContaining('may not read'),
      })
    })
  })
})
