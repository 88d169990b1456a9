import {
  type AnyDefinition,
  type App,
  type ChannelReport,
  type ConsumeOptions,
  type Consumption,
  command,
  type DeadLetter,
  type DeadLetterFilter,
  type Description,
  type EventEnvelope,
  event,
  type Observer,
  type Operations,
  query,
  type Step,
  type TraceNode,
  unchecked,
} from 'obverse'

export const NOW = Date.parse('2026-03-01T12:00:00.000Z')
export const KEY = '019c8a00-0000-7000-8000-0000000000aa'
const ago = (ms: number) => new Date(NOW - ms).toISOString()

const definitions: Record<string, AnyDefinition> = {
  'orders.place': command('orders.place', unchecked<{ orderId: string }>()),
  'mail.send': command('mail.send', unchecked<{ to: string }>()),
  'orders.get': query('orders.get', unchecked<{ orderId: string }>(), unchecked<unknown>()),
  'order.created': event('order.created', unchecked<{ orderId: string }>(), { key: (e) => e.orderId }),
}

const description: Description = {
  name: 'orders',
  store: 'sqlite',
  broker: 'sqlite',
  messages: [
    { type: 'orders.place', kind: 'command', version: 1, handlers: ['orders.place'], projections: [] },
    { type: 'mail.send', kind: 'command', version: 1, handlers: ['mail.send'], projections: [] },
    { type: 'orders.get', kind: 'query', version: 1, handlers: ['orders.get'], projections: [] },
    { type: 'order.created', kind: 'event', version: 2, handlers: ['mail-on-created'], projections: ['order-list'] },
  ],
  handlers: [
    { name: 'orders.place', type: 'orders.place', channel: null, kind: 'decision' },
    { name: 'mail.send', type: 'mail.send', channel: 'mail', kind: 'effect' },
    { name: 'mail-on-created', type: 'order.created', channel: 'mail', kind: 'effect' },
    { name: 'orders.get', type: 'orders.get', channel: null, kind: 'query' },
  ],
  channels: [
    { name: 'orders_events', concurrency: 16, prefetch: 100, ordered: true, retries: 3, timeout: 30_000 },
    { name: 'mail', concurrency: 4, prefetch: 10, ordered: false, retries: 5, timeout: 120_000 },
  ],
  projections: [
    {
      name: 'order-list',
      view: 'orders',
      store: 'sqlite',
      feed: 'channel orders_events',
      gathering: false,
      types: ['order.created', 'order.updated'],
      form: 'rows',
      lookups: ['by status, ordered by id'],
      search: ['customer'],
    },
    {
      name: 'totals',
      view: 'day-totals',
      store: 'sqlite',
      feed: 'log',
      gathering: true,
      types: ['order.created'],
      form: 'list',
      lookups: ['by month, ordered by day'],
      search: [],
    },
  ],
}

export function letter(id: number, more: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id,
    messageId: `019c8a00-0000-7000-8000-${String(id).padStart(12, '0')}`,
    type: 'order.created',
    channel: 'mail',
    handler: 'mail-on-created',
    key: KEY,
    state: 'dead',
    attempts: 4,
    code: 'HANDLER_FAILED',
    reason: 'Author "U1" does not exist',
    detail:
      'Error: Author "U1" does not exist\n    at one (a.ts:1:1)\n    at two (b.ts:2:2)\n    at three (c.ts:3:3)\n    at four (d.ts:4:4)',
    at: ago(120_000),
    behind: 2,
    body: `{"id":"${id}","type":"order.created","data":{"orderId":"x"}}`,
    ...more,
  }
}

function eventAt(position: number): EventEnvelope {
  return {
    id: `019c8a00-0000-7000-8000-${String(position).padStart(12, '0')}`,
    type: 'order.created',
    kind: 'event',
    schemaVersion: 2,
    time: ago(1_000_000 - position * 1_000),
    key: KEY,
    seq: position,
    position,
    data: { orderId: KEY, customer: 'Zoë 漢字', total: position },
    metadata: { correlationId: 'c', causationId: null },
  }
}

export interface Scene {
  readonly letters: DeadLetter[]
  readonly queued: Map<string, string[]>
  /** What was asked of it, in order. */
  readonly calls: unknown[][]
  events: number
  channels: ChannelReport[]
  traces: TraceNode[]
  consumption: Consumption
  steps: Step[]
  fails: unknown
  different: string[]
}

/** An application over plain data, for what the command line makes of it: parsing, printing, exit codes. */
export function handMade(): { readonly app: App; readonly scene: Scene } {
  const scene: Scene = {
    letters: [],
    queued: new Map(),
    calls: [],
    events: 0,
    channels: [],
    traces: [],
    consumption: { handled: 3, failed: 0, reason: 'limit' },
    steps: [],
    fails: undefined,
    different: [],
  }
  const did = (...call: unknown[]) => {
    scene.calls.push(call)
    if (scene.fails !== undefined) throw scene.fails
  }
  const watching = new Set<Observer>()
  const app: App = {
    name: 'orders',
    async send(message, options) {
      did('send', message, options)
      const messageId = '019c8a00-0000-7000-8000-00000000beef'
      const token = 'dG9rZW4'
      const answer =
        message.type === 'mail.send'
          ? { messageId, token, done: async () => ({ mailed: true }) }
          : { messageId, token, result: { id: 'x' }, replayed: options?.idempotencyKey === 'again' }
      return answer as never
    },
    async ask(message, options) {
      did('ask', message, options)
      return { orderId: 'x', status: 'placed' } as never
    },
    within: async () => {
      throw new Error('the command line opens no transactions')
    },
    open: async () => did('open'),
    start: async (roles) => did('start', roles),
    stop: async () => {
      scene.calls.push(['stop'])
    },
    async consume(channels, options?: ConsumeOptions) {
      did('consume', channels, { ...options, signal: undefined })
      for (const step of scene.steps) for (const observe of watching) observe(step)
      if (scene.consumption.reason !== 'signal' || options?.signal?.aborted) return scene.consumption
      await new Promise((resolve) => options?.signal?.addEventListener('abort', resolve))
      return scene.consumption
    },
    drain: async () => 0,
    operate: operations(scene, did),
    describe: () => description,
    definition: (type) => definitions[type],
    observe(observer) {
      watching.add(observer)
      return () => watching.delete(observer)
    },
    [Symbol.asyncDispose]: async () => {},
  }
  return { app, scene }
}

function operations(scene: Scene, did: (...call: unknown[]) => void): Operations {
  const take = (id: number) => {
    const at = scene.letters.findIndex((one) => one.id === id && one.state === 'dead')
    if (at >= 0) scene.letters.splice(at, 1)
    return at >= 0
  }
  const matches = (one: DeadLetter, filter: DeadLetterFilter) =>
    one.state === (filter.state ?? 'dead') &&
    one.id > (filter.after ?? 0) &&
    (['channel', 'handler', 'key', 'code', 'messageId'] as const).every(
      (name) => filter[name] === undefined || one[name] === filter[name],
    )
  return {
    channels: {
      async list() {
        did('channels.list')
        return scene.channels
      },
      peek: async (channel, limit) => (scene.queued.get(channel) ?? []).slice(0, limit),
      async put(channel, body) {
        did('put', channel, body)
        scene.queued.set(channel, [...(scene.queued.get(channel) ?? []), body])
      },
    },
    deadLetters: {
      async list(filter = {}) {
        did('deadLetters.list', filter)
        return scene.letters.filter((one) => matches(one, filter)).slice(0, filter.limit ?? 100)
      },
      get: async (id) => scene.letters.find((one) => one.id === id),
      async retry(id) {
        did('retry', id)
        return take(id)
      },
      async edit(id, body) {
        did('edit', id, body)
        return take(id)
      },
      async skip(id, note) {
        did('skip', id, note)
        return take(id)
      },
      reclaim: async () => 0,
    },
    projections: {
      list: async () => [
        {
          projection: 'order-list',
          view: 'orders',
          store: 'sqlite',
          feed: 'orders_events',
          gathering: false,
          generation: { serving: 2, previous: 1 },
          rows: 12_345,
          parked: 3,
        },
        {
          projection: 'totals',
          view: 'day-totals',
          store: 'sqlite',
          feed: 'log',
          gathering: true,
          generation: { serving: 1, building: 2 },
          rows: 31,
          behind: 7,
          parked: 0,
        },
      ],
      async rebuild(projection, options) {
        did('rebuild', projection, options?.noSwitch)
        options?.onProgress?.({ position: 5_200, head: 10_000, events: 5_200, perSecond: 1_234 })
        return { projection, generation: 3, events: 10_000, rows: 4_000, ms: 8_100, switched: !options?.noSwitch }
      },
      async verify(projection) {
        did('verify', projection)
        return { projection, rows: 4_000, different: scene.different, missing: [], extra: [] }
      },
      switchTo: async (projection, generation) => did('switch', projection, generation),
    },
    log: {
      async read(position, limit) {
        did('log.read', position, limit)
        const last = Math.min(scene.events, position + limit)
        return Array.from({ length: Math.max(0, last - position) }, (_, at) => eventAt(position + at + 1))
      },
      head: async () => scene.events,
      async tail(position, onEvent, signal) {
        did('log.tail', position)
        onEvent(eventAt(position + 1))
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
    },
    async status(messageId) {
      did('status', messageId)
      return scene.traces[0]
    },
    async trace(messageId) {
      did('trace', messageId)
      return scene.traces
    },
    cancel: async () => false,
    migrate: async () => ['obverse-001', '001-orders'],
    pendingMigrations: async () => [],
    printMigrations: async () => ['create table a (b text)', 'create index c on a (b);'],
    reset: async () => did('reset'),
    health: async () => [],
    doctor: async () => [
      { level: 'ok', subject: 'store', says: 'sqlite answers in 0.2 ms' },
      {
        level: 'error',
        subject: 'key stuck',
        says: `3 messages of key ${KEY} wait behind dead letter 12 of mail-on-created for 2 h`,
        remedy: 'obverse failed show 12, then retry, edit or skip it',
      },
      { level: 'warning', subject: 'lag', says: 'totals is 7 events behind', remedy: 'run a process with projections' },
    ],
  }
}
