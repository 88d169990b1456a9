import type { App } from 'obverse'
import { isStack, STACKS } from '../stack.ts'
import { columns } from './columns.ts'
import { type Command, Failed, text } from './command.ts'

export const queueCommand: Command = {
  says: 'the queues, with their messages and consumers; looks for itself, so the API may be down',
  usage: [
    '--on embedded|servers           where they are (ORDERS_ON, default embedded)',
    '--data DIR                      embedded: the folder of the data file (DATA_DIR, default .data/orders)',
  ],
  options: { on: { type: 'string' }, data: { type: 'string' } },
  words: ['status'],
  async run(values) {
    const [on, data] = [text(values, 'on'), text(values, 'data')]
    if (on !== undefined && !isStack(on)) throw new Failed(2, `--on ${on} is not ${STACKS.join(' or ')}.`)
    // here and not above: the other commands need none of it, and start in a blink
    const [{ isObverseError }, { default: main }] = await Promise.all([import('obverse'), import('../main.ts')])
    const env = {
      ...process.env,
      ...(on !== undefined && { ORDERS_ON: on }),
      ...(data !== undefined && { DATA_DIR: data }),
    }
    let app: App | undefined
    try {
      app = (await main(env)) as App
      const { operate } = app
      const channels = await operate.channels.list()
      const queues = await Promise.all(
        channels.map(async ({ channel, messages, consumers, held }) => ({
          queue: channel,
          messages,
          consumers,
          held: held.retry + held.waiting,
          // those that no handler could read, too
          dead: (await operate.deadLetters.list({ channel, limit: 1_000 })).length,
        })),
      )
      if (values.json) console.log(JSON.stringify(queues))
      else {
        const rows = queues.map((queue) => [queue.queue, queue.messages, queue.consumers, queue.held, queue.dead])
        console.log(columns(['QUEUE', 'MESSAGES', 'CONSUMERS', 'HELD', 'DEAD'], rows, [1, 2, 3, 4]))
      }
      return 0
    } catch (error) {
      if (isObverseError(error)) throw new Failed(3, error.message)
      throw error
    } finally {
      await app?.stop()
    }
  },
}
