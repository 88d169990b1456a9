import { type ChannelReport, ObverseError, oneLine } from 'obverse'
import { ageText, bytesText, counted, countText } from '../age.ts'
import { type Command, command } from '../command.ts'
import { checkChannel } from '../known.ts'
import { summary } from '../message-text.ts'
import { messagesOf, toLine } from '../raw.ts'
import type { Style } from '../style.ts'
import type { Cell } from '../table.ts'

export const channelsList: Command = command({
  words: 'channels list',
  about: 'shows messages, consumers and held messages of each',
  more: [
    '“messages” wait or are being handled, “taken” are with a consumer. “held” are off the queue: they wait for a retry ' +
      'or behind an earlier message of their key. “dead” wait for a decision: obverse failed list.',
  ],
  async run({ app, out, runtime }) {
    const channels = await app.operate.channels.list()
    if (out.json) return out.data(channels)
    if (channels.length === 0)
      return out.line('This application has no channels: every handler runs where it is called.')
    out.table(
      [
        { title: 'channel' },
        { title: 'messages', right: true },
        { title: 'taken', right: true },
        { title: 'consumers', right: true },
        { title: 'oldest', right: true },
        { title: 'held', right: true },
        { title: 'dead', right: true },
        { title: 'in', right: true, optional: true },
        { title: 'out', right: true, optional: true },
        { title: 'handlers', least: 12, optional: true },
      ],
      channels.map((channel) => rowOf(channel, out.style, runtime.now())),
    )
    return
  },
})

function rowOf(channel: ChannelReport, style: Style, now: number): Cell[] {
  const { messages, unsettled, consumers, oldest, held, rates, handlers } = channel
  const waits = held.retry + held.waiting
  return [
    { text: channel.channel, paint: style.bold },
    number(messages, messages > 0 ? style.info : style.dim),
    number(unsettled, style.dim),
    number(consumers, consumers === 0 && messages > 0 ? style.warn : (text) => text),
    oldest === undefined ? '' : ageText(oldest, now),
    number(waits, waits > 0 ? style.warn : style.dim),
    number(held.dead, held.dead > 0 ? style.bad : style.dim),
    rateText(rates?.published),
    rateText(rates?.settled),
    handlers.join(', '),
  ]
}

function number(count: number, paint: (text: string) => string): Cell {
  return { text: countText(count), paint }
}

function rateText(rate: number | undefined): string {
  return rate === undefined ? '' : `${rate < 10 ? Number(rate.toFixed(1)) : countText(rate)}/s`
}

export const channelsPeek: Command = command({
  words: 'channels peek',
  takes: ['CHANNEL'],
  about: 'shows what waits in a channel, and leaves it there',
  more: [
    'With --json one message a line, as it is in the queue, which is what put --raw takes. A body that is not one line ' +
      'is made one: JSON by taking its line breaks out, anything else as a JSON string, which put turns back.',
  ],
  flags: { limit: { kind: 'number', about: 'at most N messages (default 20)' } },
  examples: [
    ['channels peek orders_events', 'what waits'],
    ['channels peek mail --json --limit 1000 | obverse channels put mail2 --raw - --lines', 'copies it'],
  ],
  async run({ app, out, runtime }, { flags, positionals: [channel = ''] }) {
    checkChannel(app, channel)
    const limit = flags.limit ?? 20
    const bodies = await app.operate.channels.peek(channel, limit)
    if (out.json) {
      for (const body of bodies) out.line(toLine(body))
      return
    }
    if (bodies.length === 0) {
      out.line(`Nothing waits in ${channel}.`)
      return out.hint('Held messages and dead letters are rows of their own: obverse failed list')
    }
    for (const [index, body] of bodies.entries()) {
      if (index > 0) out.line()
      const about = summary(body)
      const size = bytesText(Buffer.byteLength(body))
      if (!about) {
        out.line(`  ${out.style.bad('✗ not a message')}  ${out.style.dim(size)}`)
        out.fields([['body', body || '(empty)']], 'cut')
        continue
      }
      out.line(
        `  ${out.style.bold(about.type)}  ${out.style.dim([oneLine(ageText(about.time, runtime.now())), size].filter(Boolean).join(', '))}`,
      )
      out.fields(
        [
          ['id', about.id],
          ['key', about.place],
          ['data', about.data],
        ],
        'cut',
      )
    }
    out.line()
    out.hint(
      bodies.length === limit
        ? `${counted(limit, 'message')} shown; more with --limit ${limit * 5}`
        : `${counted(bodies.length, 'message')}, all that wait`,
    )
    return
  },
})

export const channelsPut: Command = command({
  words: 'channels put',
  takes: ['CHANNEL', '[BODY]'],
  about: 'adds messages to a channel as they are, bad ones too',
  more: [
    'A file is one message, its bytes as they are but for the line break at its end. It is taken by lines with --lines, ' +
      'and when every line of several is a message by itself, as channels peek --json prints them.',
  ],
  flags: {
    raw: { kind: 'text', value: 'FILE', about: 'takes the message from a file, - for standard input' },
    lines: { kind: 'switch', about: 'one message for each line that is not empty' },
  },
  examples: [
    ["channels put orders_events 'not json'", 'becomes a dead letter, as it should'],
    ['channels put orders_events --raw order.json', 'one message'],
    ['channels put orders_events --raw saved.txt --lines', 'what peek --json printed'],
  ],
  async run({ app, out, input }, { flags, positionals: [channel = '', body] }) {
    checkChannel(app, channel)
    if ((body === undefined) === (flags.raw === undefined)) {
      throw new ObverseError('USAGE', 'Give the message either as a word or by --raw FILE (- for standard input)')
    }
    const bodies = body === undefined ? messagesOf(await input.text(flags.raw ?? '-'), flags.lines) : [body]
    for (const one of bodies) await app.operate.channels.put(channel, one)
    if (out.json) return out.data({ channel, put: bodies.length })
    out.line(`Put ${counted(bodies.length, 'message')} into ${channel}.`)
    return
  },
})
