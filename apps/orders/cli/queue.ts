import type { App } from 'obverse'
import { columns } from './columns.ts'
import { type Command, Failed, text } from './command.ts'

export const queueCommand: Command = {
  says: 'the queues, with their messages and consumers; reads the data itself, so the API may be down',
  usage: ['--data DIR                      where it is (DATA_DIR, default .data/orders)'],
  options: { data: { type: 'string' } },
  words: ['status'],
  async run(values) {
    // here and not above: the other commands need none of it, and start in a blink
    const [{ isObverseError }, { default: main }] = await Promise.all([import('obverse'), import('../main.ts')])
    const data = text(values, 'data') ?? process.env.DATA_DIR
    const app = main({ ...process.env, ...(data !== undefined && { DATA_DIR: data }) }) as App
    try {
      const channels = await app.operate.channels.list()
      const queues = await Promise.all(
        channels.map(async ({ channel, messages, consumers, held }) => ({
          queue: channel,
          messages,
          consumers,
          held: held.retry + held.waiting,
          // those that no handler could read, too
          dead: (await app.operate.deadLetters.list({ channel, limit: 1_000 })).length,
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
      await app.stop()
    }
  },
}
