import { orderPaced } from './order-paced.ts'
import type { Question } from './question.ts'
import { endProcess, freePort, serverProcess } from './server-process.ts'
import { benchServer, newDatabase } from './servers.ts'

export const visibleServers: Question = {
  name: 'visible-servers',
  asks: 'POST → visible in the read store (PostgreSQL) at 300/s, beside PostgreSQL → quorum queue → store by hand',
  unit: 'ms',
  reach: 0.5,
  async prepare() {
    const { url: amqp } = await benchServer('rabbitmq')
    const side = async (program: string, table: string, queue: string) => {
      const port = await freePort()
      const [write, read] = [await newDatabase(), await newDatabase()]
      const process = await serverProcess({ args: [program, `${port}`, write, amqp, read, queue] })
      return { process, run: () => orderPaced({ port, read, table, rate: 300, seconds: 3 }) }
    }
    const ours = await side('bench/ours/visible.ts', 'obverse_view_orders_1', 'visible_ours')
    const twin = await side('bench/twins/visible.ts', 'orders', 'visible_twin')
    return {
      ours: ours.run,
      twin: twin.run,
      async close() {
        await Promise.all([endProcess(ours.process), endProcess(twin.process)])
      },
    }
  },
}
