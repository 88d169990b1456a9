import type { App, ConsumeOptions, Consumption } from 'obverse'
import { bytesText, counted, durationText } from '../age.ts'
import { type Command, command } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { fedBy } from '../fed.ts'
import { checkChannel } from '../known.ts'
import type { Output } from '../print.ts'
import { followSteps } from '../running.ts'

export const consume: Command = command({
  words: 'consume',
  takes: ['CHANNEL…'],
  about: 'takes the messages of channels to their handlers',
  more: [
    'Runs until a limit is reached, or SIGTERM or Ctrl-C, which finish what runs, give the rest back and end with 0. ' +
      'Any number of consumers may run on one channel; messages of one key stay in order.',
    'Prints a line for each event; -v one for each message, with its id, handler and duration; -vv one for each step: ' +
      'received, sending, handled by, handled. With --json each is a JSON object.',
  ],
  flags: {
    limit: { kind: 'number', about: 'stop after N messages' },
    'failure-limit': { kind: 'number', about: 'stop after N failed attempts (exit code 4)' },
    'time-limit': { kind: 'duration', about: 'stop after a time: 60s, 5m, 1h (a plain number: seconds)' },
    'memory-limit': { kind: 'bytes', about: 'stop when the process uses more: 200MB (exit code 5)' },
    'stop-when-empty': { kind: 'switch', about: 'stop once nothing is queued, running or due' },
    concurrency: { kind: 'number', about: 'handlers at once, instead of what the channels say' },
  },
  showsExitCodes: true,
  examples: [
    ['consume orders_events', 'until it is told to stop'],
    ['consume mail orders_events --limit 3 -vv', 'three messages, every step'],
    ['consume orders_events --time-limit 1h --memory-limit 200MB', 'under a supervisor that starts it again'],
    ['consume orders_events --stop-when-empty', 'in a script'],
  ],
  async run(context, { flags, positionals }) {
    const { app, out } = context
    const channels = [...new Set(positionals)]
    for (const channel of channels) checkChannel(app, channel)
    const interruption = context.interruption()
    const options: ConsumeOptions = {
      signal: interruption.signal,
      stopWhenEmpty: flags['stop-when-empty'],
      ...(flags.limit !== undefined && { limit: flags.limit }),
      ...(flags['failure-limit'] !== undefined && { failureLimit: flags['failure-limit'] }),
      ...(flags['time-limit'] !== undefined && { timeLimit: flags['time-limit'] }),
      ...(flags['memory-limit'] !== undefined && { memoryLimit: flags['memory-limit'] }),
      ...(flags.concurrency !== undefined && { concurrency: flags.concurrency }),
    }
    // opened first: a store that is not there is an error, not a consumer that started
    await app.open()
    if (!out.json) printStart(app, out, channels, options)
    const stop = followSteps(context, flags)
    const consumption = await app.consume(channels, options)
    stop()
    const later = await waitingLater(app, channels)
    printEnd(out, consumption, reasonText(consumption.reason, options, interruption.reason()), later)
    return EXITS[consumption.reason] ?? EXIT.done
  },
})

const EXITS: Partial<Record<Consumption['reason'], ExitCode>> = {
  'failure-limit': EXIT.failureLimit,
  'memory-limit': EXIT.memoryLimit,
}

function printStart(app: App, out: Output, channels: readonly string[], options: ConsumeOptions): void {
  const description = app.describe()
  const takers = channels.flatMap((channel) => fedBy(description, channel))
  const types = new Set(takers.flatMap((taker) => taker.types))
  const named = (kind: 'event' | 'command') =>
    description.messages.filter((message) => message.kind === kind && types.has(message.type)).map(({ type }) => type)
  out.line(`${out.style.bold(app.name)}: consumer started`)
  out.fields([
    ['listening on', channels.join(', ')],
    ['events', named('event').join(', ')],
    ['commands', named('command').join(', ')],
    ['handlers', takers.map(({ name }) => name).join(', ')],
    ['until', untilText(options)],
  ])
}

function untilText(options: ConsumeOptions): string {
  const { limit, failureLimit, timeLimit, memoryLimit, stopWhenEmpty } = options
  const limits = [
    limit && counted(limit, 'message'),
    failureLimit && counted(failureLimit, 'failure'),
    timeLimit && durationText(timeLimit),
    memoryLimit && `${bytesText(memoryLimit)} of memory`,
    stopWhenEmpty && 'nothing is left to do',
  ].filter(Boolean)
  return limits.join(', or ') || 'it is told to stop (Ctrl-C)'
}

function reasonText(reason: Consumption['reason'], options: ConsumeOptions, signal: string | undefined): string {
  switch (reason) {
    case 'limit':
      return `maximum count of ${options.limit}`
    case 'failure-limit':
      return `failure limit of ${options.failureLimit}`
    case 'time-limit':
      return `time limit of ${durationText(options.timeLimit ?? 0)}`
    case 'memory-limit':
      return `memory limit of ${bytesText(options.memoryLimit ?? 0)}`
    case 'empty':
      return 'nothing being left to do'
    case 'signal':
      return signal ?? 'a signal'
    case 'stopped':
      return 'the application being stopped'
  }
}

/** Messages that wait for their next try: nothing is lost, and nothing was left undone that could be done now. */
async function waitingLater(app: App, channels: readonly string[]): Promise<number> {
  const reports = await app.operate.channels.list()
  return reports
    .filter(({ channel }) => channels.includes(channel))
    .reduce((sum, { held }) => sum + held.retry + held.waiting, 0)
}

function printEnd(out: Output, { handled, failed, reason }: Consumption, why: string, later: number): void {
  if (out.json) {
    out.data({ step: 'consumed', handled, failed, reason, later })
    return
  }
  const failures = failed === 0 ? '' : `, ${counted(failed, 'failed attempt')}`
  out.line(`consumer stopped due to ${why} (${counted(handled, 'message')} handled${failures})`)
  if (later > 0) out.line(`${counted(later, 'message')} will be tried again later: obverse failed list --state retry`)
}
