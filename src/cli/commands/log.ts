import { type EventEnvelope, oneLine } from 'obverse'
import { ageText, counted, countText } from '../age.ts'
import { type Command, command } from '../command.ts'
import { placeText } from '../message-text.ts'
import type { Output } from '../print.ts'
import { untilStopped } from '../running.ts'
import { cut, pad } from '../width.ts'

export const logTail: Command = command({
  words: 'log tail',
  about: 'shows the events that were committed last',
  more: ['With --json one event a line. An event is in the log once the relay has given it its position.'],
  flags: {
    from: { kind: 'number', about: 'begins with this position (default: near the end)' },
    limit: { kind: 'number', about: 'at most N events (default 20; with --follow before the new ones)' },
    follow: { kind: 'switch', short: 'f', about: 'goes on with every new event, until Ctrl-C' },
  },
  examples: [
    ['log tail --follow', 'what happens now'],
    ['log tail --from 1 --limit 1000 --json', 'the beginning'],
  ],
  async run(context, { flags }) {
    const { app, out, runtime } = context
    const limit = flags.limit ?? 20
    const head = await app.operate.log.head()
    const from = flags.from ?? Math.max(1, head - limit + 1)
    const print = (event: EventEnvelope) => (out.json ? out.data(event) : printEvent(out, event, runtime.now(), head))
    const events = from > head ? [] : await app.operate.log.read(from - 1, limit)
    for (const event of events) print(event)
    const last = events.at(-1)?.position ?? Math.min(from - 1, head)
    if (flags.follow) {
      const interruption = context.interruption()
      const tail = app.operate.log.tail(last, print, interruption.signal)
      await Promise.race([tail, untilStopped(context.runtime, interruption)])
      await tail
      return
    }
    if (out.json) return
    if (head === 0) {
      out.line('The log is empty.')
      return out.hint('Events come from commands: obverse send TYPE JSON, and get their positions from the relay')
    }
    if (events.length === 0) return out.line(`The log ends at ${countText(head)}; nothing is at ${from} or after it.`)
    const shown = counted(events.length, 'event')
    if (last < head) out.hint(`${shown} of ${countText(head)}; the next: obverse log tail --from ${last + 1}`)
    else if (from > 1)
      out.hint(`The last ${shown} of ${countText(head)}; from the beginning: obverse log tail --from 1`)
  },
})

/** Two lines: what and where, then its data. */
function printEvent(out: Output, event: EventEnvelope, now: number, head: number): void {
  const wide = String(head).length
  const { style } = out
  const place = style.dim(pad(String(event.position ?? '–'), wide, true))
  const key = style.dim(oneLine(placeText(event.key, event.seq)))
  out.line(`  ${place}  ${style.bold(oneLine(event.type))}  ${key}  ${style.dim(ageText(event.time, now))}`)
  const data = oneLine(JSON.stringify(event.data))
  out.line(`  ${' '.repeat(wide)}  ${out.columns === undefined ? data : cut(data, out.columns - wide - 4)}`)
}
