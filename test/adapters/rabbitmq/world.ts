// What the tests of the adapter have in common: connections, messages, consumers, and a second client that does harm.
import { type ChannelModel, connect as connectRaw } from 'amqplib'
import { type Broker, type BrokerDelivery, type ChannelDeclaration, type Published, systemRuntime } from 'obverse'
import { type RabbitOptions, rabbitmq } from 'obverse/rabbitmq'
import { onTestFinished } from 'vitest'
import { until } from '../../processes.ts'
import { fresh, management, type Server, type Space, server } from '../../servers.ts'

export { until }

/** Both generations, where they can be had. */
export const servers: readonly Server[] = [await server('rabbitmq'), await server('rabbitmq4')]

/** A broker on `home` that is closed at the end of the test. */
export async function open(home: Pick<Server, 'url' | 'management'>, options: RabbitOptions = {}): Promise<Broker> {
  const broker = await rabbitmq(home.url, { management: home.management ?? false, ...options })({
    runtime: systemRuntime,
  })
  onTestFinished(() => broker.close())
  return broker
}

/** A virtual host of the test's own, and a broker on it with a channel `work`. */
export async function working(
  home: Server,
  options: RabbitOptions = {},
  channel: Partial<ChannelDeclaration> = {},
): Promise<{ readonly broker: Broker; readonly space: Space }> {
  const space = await fresh(home)
  const broker = await open(space, options)
  await broker.declare([{ name: 'work', ...channel }])
  return { broker, space }
}

let count = 0
export function message(key: string | null, body: string, channel = 'work'): Published {
  count += 1
  return { messageId: `m${count}`, channel, key, body }
}

export function messages(total: number, key: (n: number) => string | null = (n) => `k${n}`): Published[] {
  return Array.from({ length: total }, (_, n) => message(key(n), String(n)))
}

/** A consumer that collects, and acknowledges if told to. */
export class Inbox {
  readonly all: BrokerDelivery[] = []
  readonly errors: unknown[] = []
  readonly options: Parameters<Broker['subscribe']>[1]

  constructor({ prefetch = 100, ack = false } = {}) {
    this.options = {
      prefetch,
      onDeliveries: (deliveries) => {
        this.all.push(...deliveries)
        if (ack) for (const delivery of deliveries) void delivery.ack()
      },
      onError: (error) => this.errors.push(error),
    }
  }

  get bodies(): readonly string[] {
    return this.all.map(({ body }) => body)
  }

  async came(total: number): Promise<readonly BrokerDelivery[]> {
    await until(`${total} deliveries`, () => this.all.length >= total, 20_000)
    return this.all
  }
}

/** Another client of the same virtual host. */
export async function stranger(url: string): Promise<ChannelModel> {
  const model = await connectRaw(url, { noDelay: true })
  model.on('error', () => {})
  onTestFinished(() => cut(model))
  return model
}

/** What the death of its process does to a client. */
export function cut({ connection }: ChannelModel): void {
  ;(connection as unknown as { readonly stream: { destroy(): void } }).stream.destroy()
}

interface ApiConnection {
  readonly name: string
  readonly client_properties?: { readonly connection_name?: string }
}

/** Ends a connection to a virtual host, as an operator does. */
export async function endConnection({ management: url = '', space }: Space, purpose: string): Promise<void> {
  const list = async (): Promise<readonly ApiConnection[]> => {
    const { body } = await management(url, 'GET', `/vhosts/${space}/connections`)
    return Array.isArray(body) ? body : []
  }
  const { name } = await until(`a ${purpose} connection in the API`, async () =>
    (await list()).find(({ client_properties: { connection_name } = {} }) => connection_name === `obverse ${purpose}`),
  )
  // one of which the API knows little yet is not ended, whatever it answers
  await until('the connection to be gone', async () => {
    if (!(await list()).some((one) => one.name === name)) return true
    await management(url, 'DELETE', `/connections/${encodeURIComponent(name)}`)
    return false
  })
}
