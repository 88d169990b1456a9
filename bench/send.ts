import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUIDv7 } from 'node:crypto'
import { command, createApp, handle, unchecked } from 'obverse'
import { memory } from 'obverse/memory'
import { peer } from './peers.ts'
import { type Question, rate } from './question.ts'

const Tick = command('bench.tick', unchecked<{ n: number }>())

/** What the bus costs: no schema, no events, a handler that returns a number. */
export const send: Question = {
  name: 'send',
  asks: 'send() of a synchronous command in memory, beside Map look-up + AsyncLocalStorage + UUID v7 + await',
  unit: 'commands/s',
  reach: 0.77,
  async prepare() {
    const app = createApp({ handlers: [handle(Tick, (data) => data.n + 1)], store: memory() })
    await app.open()
    return {
      ours: () =>
        rate(1_000, 20_000, async (count) => {
          for (let n = 0; n < count; n += 1) await app.send(Tick({ n }))
        }),
      twin: twin(),
      peers: { '@nestjs/cqrs': nest },
      close: () => app.stop(),
    }
  },
}

function twin() {
  interface Context {
    readonly messageId: string
    readonly correlationId: string
  }
  const storage = new AsyncLocalStorage<Context>()
  const handlers = new Map<string, (data: { n: number }) => Promise<number>>()
  handlers.set('bench.tick', async (data) => data.n + 1)
  const dispatch = (type: string, data: { n: number }) => {
    const handler = handlers.get(type)
    if (!handler) throw new Error(`no handler for ${type}`)
    const messageId = randomUUIDv7()
    return storage.run({ messageId, correlationId: messageId }, handler, data)
  }
  return () =>
    rate(1_000, 20_000, async (count) => {
      for (let n = 0; n < count; n += 1) await dispatch('bench.tick', { n })
    })
}

/** The same context and id around the peer's own bus. */
async function nest(): Promise<number> {
  await peer('reflect-metadata', NEST)
  const { CommandBus } = await peer<{
    CommandBus: new (
      moduleRef: unknown,
    ) => {
      execute(command: object): Promise<unknown>
      bind(handler: unknown, id: string): void
    }
  }>('@nestjs/cqrs', NEST)
  class TickCommand {
    readonly n: number
    constructor(n: number) {
      this.n = n
    }
  }
  const reflect = Reflect as unknown as { defineMetadata(key: string, value: unknown, target: object): void }
  reflect.defineMetadata('__command__', { id: 'tick' }, TickCommand)
  const bus = new CommandBus({})
  const handler = { execute: async (tick: TickCommand) => tick.n + 1 }
  bus.bind({ instance: handler, isDependencyTreeStatic: () => true }, 'tick')
  const storage = new AsyncLocalStorage<{ id: string }>()
  return rate(1_000, 20_000, async (count) => {
    for (let n = 0; n < count; n += 1) {
      await storage.run({ id: randomUUIDv7() }, () => bus.execute(new TickCommand(n)))
    }
  })
}

const NEST = ['@nestjs/cqrs', '@nestjs/core', '@nestjs/common', 'reflect-metadata', 'rxjs']
