import {
  type App,
  type AppOptions,
  command,
  createApp,
  event,
  type Handler,
  handle,
  projection,
  unchecked,
  view,
} from 'obverse'

interface Tick {
  readonly key: string
  readonly text: string
}

export const Tell = command('passing.tell', unchecked<Tick>())
const Told = event('passing.told', unchecked<Tick>(), { key: (e) => e.key })

export const CHANNEL = 'told'
/** So many keys, so that rows and streams stay few however many messages pass. */
export const KEYS = 1_000

const tell: Handler<typeof Tell, void, undefined> = handle(Tell, (tick, ctx) => {
  ctx.publish(Told(tick))
})

interface Row {
  readonly key: string
  readonly count: number
}

export type PassingApp = App<typeof tell>

/** A command, its event, and on a channel a handler of it and a projection: the whole way, with nothing to do on it. */
export function createPassing(stores: Pick<AppOptions<[]>, 'store' | 'broker'>, onHandled: () => void): PassingApp {
  const counts = view('counts', { row: unchecked<Row>(), key: 'key' })
  return createApp({
    name: 'passing',
    handlers: [tell, handle(Told, { channel: CHANNEL, name: 'note' }, onHandled)],
    projections: [
      projection('counting', counts, { feed: { channel: CHANNEL } }).on(Told, ({ key }, rows) =>
        rows.increment(key, { count: 1 }, { key, count: 0 }),
      ),
    ],
    channels: { [CHANNEL]: {} },
    ...stores,
  })
}
