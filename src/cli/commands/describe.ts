import { durationText } from '../age.ts'
import { type Command, command } from '../command.ts'
import { fedBy } from '../fed.ts'

export const describe: Command = command({
  words: 'describe',
  about: 'shows the messages, channels and projections it has',
  more: ['Opens no store: it says what the code says.'],
  examples: [['describe --json', 'the same as one JSON object']],
  async run({ app, out }) {
    const it = app.describe()
    if (out.json) return out.data(it)
    out.line(`${out.style.bold(it.name)}   store ${it.store}   broker ${it.broker}`)
    if (it.messages.length > 0) {
      out.line()
      out.title('Messages')
      out.table(
        [{ title: 'type' }, { title: 'kind' }, { title: 'version', right: true }, { title: 'handled by', least: 16 }],
        it.messages.map(({ type, kind, version, handlers, projections }) => [
          type,
          { text: kind, paint: kind === 'event' ? out.style.good : out.style.info },
          String(version),
          [...handlers, ...projections].join(', ') || 'nobody',
        ]),
      )
    }
    if (it.channels.length > 0) {
      out.line()
      out.title('Channels')
      out.table(
        [
          { title: 'channel' },
          { title: 'at once', right: true },
          { title: 'taken', right: true },
          { title: 'order' },
          { title: 'retries', right: true },
          { title: 'timeout', right: true },
          { title: 'handlers', least: 12 },
        ],
        it.channels.map((channel) => [
          channel.name,
          String(channel.concurrency),
          String(channel.prefetch),
          channel.ordered ? 'by key' : 'none',
          String(channel.retries),
          durationText(channel.timeout),
          fedBy(it, channel.name)
            .map(({ name }) => name)
            .join(', '),
        ]),
      )
    }
    if (it.projections.length > 0) {
      out.line()
      out.title('Projections')
      out.table(
        [
          { title: 'projection' },
          { title: 'view' },
          { title: 'form' },
          { title: 'store', least: 8 },
          { title: 'fed by' },
          { title: 'rows of' },
          { title: 'events', least: 12 },
        ],
        it.projections.map((projection) => [
          projection.name,
          projection.view,
          projection.search.length > 0 ? `${projection.form}, searched` : projection.form,
          projection.store,
          projection.feed,
          projection.gathering ? 'many keys' : 'one key',
          projection.types.join(', '),
        ]),
      )
    }
  },
})
