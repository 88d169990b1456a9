import { describe, expect, test } from 'vitest'
import { ownServer } from '../../servers.ts'
import { control } from './control.ts'
import { Inbox, message, messages, open, until } from './world.ts'

const own = [await ownServer('rabbitmq'), await ownServer('rabbitmq4')]

describe.each(own)('$name $version', (own) => {
  const rabbitmqctl = own.missing === undefined ? control(own.url) : undefined
  const alarm = async (on: boolean) => {
    await rabbitmqctl?.('set_vm_memory_high_watermark', on ? '0.0001' : '0.4')
  }

  test.skipIf(rabbitmqctl === undefined)(
    'publishers that are blocked by an alarm hear of an outage, keep consuming and closing, and go on when it is over',
    async () => {
      const broker = await open(own, { blockedTimeout: 300 })
      await broker.declare([{ name: 'work' }])
      const inbox = new Inbox()
      await broker.subscribe('work', inbox.options)
      await broker.publish(messages(2))
      await inbox.came(2)
      await alarm(true)
      try {
        const blocked = { code: 'BROKER_BLOCKED', message: expect.stringMatching(/takes no messages \(.*memory/) }
        const held = message('k', 'held')
        await expect(broker.publish([held])).rejects.toMatchObject(blocked)
        const started = performance.now()
        await expect(broker.publish([message('k', 'later')])).rejects.toMatchObject(blocked)
        expect(performance.now() - started, 'from then on it is not even tried').toBeLessThan(100)
        expect(await broker.health?.()).toEqual({
          ok: false,
          detail: expect.stringContaining('takes no messages since'),
        })
        const findings = (await broker.examine?.()) ?? []
        expect(findings).toContainEqual(expect.objectContaining({ level: 'error', subject: 'rabbitmq alarms' }))

        for (const delivery of inbox.all) await delivery.ack()
        await until('acknowledgements to arrive', async () => (await broker.stats())[0]?.messages === 0)

        const other = await open(own, { blockedTimeout: 60_000 })
        await other.declare([{ name: 'work' }])
        const stuck = other.publish([message('k', 'stuck')]).catch((error: unknown) => error)
        await until('it to be blocked', async () => (await other.health?.())?.ok === false)
        const before = performance.now()
        await other.close()
        expect(performance.now() - before, 'closing does not hang').toBeLessThan(5_000)
        expect(await stuck).toMatchObject({ code: 'BROKER_CLOSED' })

        await alarm(false)
        const outcome = await until('publishing to go on', () => broker.publish([held]).catch(() => undefined))
        expect(outcome).toEqual([{ messageId: held.messageId, kind: 'confirmed' }])
        expect(await broker.health?.()).toEqual({ ok: true, detail: expect.any(String) })
        // what lay in front of the closed door may have come in too, under the same id
        await until('it to be delivered', () => inbox.bodies.includes('held'))
      } finally {
        await alarm(false)
      }
    },
    60_000,
  )
})
