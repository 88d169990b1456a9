import type { Observer, Step } from '../runtime/observer.ts'
import { counter, DURATION_BUCKETS, gauge, histogram } from './prometheus.ts'

export interface MetricsOptions {
  /** Before every name. Default `obverse`. */
  readonly prefix?: string
  /** Upper bounds of the duration histograms, in seconds, ascending. Default 50 µs to 30 s. */
  readonly buckets?: readonly number[]
  /** Label sets of one metric; what comes after is counted under `other`. Default 1,000. */
  readonly limit?: number
}

export interface Metrics {
  readonly observer: Observer
  /** The text format of Prometheus, version 0.0.4. */
  text(): string
  /** For the answer that carries `text()`. */
  readonly contentType: string
}

/**
 * Counters and histograms of everything observed. Labels are types, channels, handlers, projections, outcomes and
 * codes, never keys or ids. Durations are seconds and are not rounded.
 *
 * @example
 * const watch = metrics()
 * const app = createApp({ handlers, observe: [watch.observer] })
 * server.get('/metrics', (_, reply) => reply.type(watch.contentType).send(watch.text()))
 */
export function metrics(options: MetricsOptions = {}): Metrics {
  const all = families(options)
  const record = recorder(all)
  return {
    observer: (step) => (record[step.step] as (step: Step) => void)(step),
    text: () =>
      Object.values(all)
        .map((family) => family.text())
        .join(''),
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
  }
}

function families({ prefix = 'obverse', buckets = DURATION_BUCKETS, limit = 1_000 }: MetricsOptions) {
  const count = (name: string, help: string) => counter(`${prefix}_${name}_total`, help, limit)
  const time = (name: string, help: string) => histogram(`${prefix}_${name}_seconds`, help, limit, buckets)
  const level = (name: string, help: string) => gauge(`${prefix}_${name}`, help, limit)
  return {
    sent: count('commands', 'Commands sent, by outcome.'),
    sentTime: time('command_duration', 'From send to its answer.'),
    asked: count('queries', 'Queries asked, by outcome.'),
    askedTime: time('query_duration', 'From ask to its answer.'),
    sending: count('messages_sending', 'Messages put into the outbox, by channel.'),
    stamped: count('events_stamped', 'Events that were given a position.'),
    published: count('messages_published', 'Messages confirmed by the broker.'),
    publishTime: time('publish_duration', 'One batch, from publish to the last confirm.'),
    returned: count('messages_returned', 'Messages the broker could not route.'),
    received: count('messages_received', 'Deliveries to consumers.'),
    handled: count('messages_handled', 'Messages that handlers ended, by outcome.'),
    handlerTime: time('handler_duration', 'One message in one handler, its commit included.'),
    retried: count('retries', 'Failed attempts that will be tried again.'),
    dead: count('dead_letters', 'Messages given up, by code.'),
    outages: count('outages', 'Failures of something below, by part.'),
    down: level('down', '1 while a part does not answer.'),
    warnings: count('warnings', 'Things that grow worse while nobody looks, by part.'),
    events: count('projected_events', 'Events applied by projections.'),
    rows: count('projected_rows', 'Rows saved by projections.'),
    filled: count('projection_filled_events', 'Events that were fetched from the log to fill a jump.'),
    batchTime: time('projection_batch_duration', 'One batch of a projection.'),
    rebuildPosition: level('rebuild_position', 'How far a rebuild has come.'),
    rebuildHead: level('rebuild_head', 'Where the log ended when a rebuild last looked.'),
    lostByStore: count('projection_fallen_back_events', 'Events that a view store lost and the log gave again.'),
    generation: level('projection_generation', 'The generation that is served.'),
    failed: count('failures', 'Errors of long-running parts.'),
  }
}

type Recorder = { readonly [S in Step['step']]: (step: Extract<Step, { step: S }>) => void }

function recorder(all: ReturnType<typeof families>): Recorder {
  return {
    sent({ type, outcome, ms }) {
      all.sent.add({ type, outcome })
      all.sentTime.observe({ type }, ms / 1_000)
    },
    asked({ type, outcome, ms }) {
      all.asked.add({ type, outcome })
      all.askedTime.observe({ type }, ms / 1_000)
    },
    sending: ({ type, channel }) => all.sending.add({ type, channel }),
    stamped: ({ count }) => all.stamped.add({}, count),
    published({ count, ms }) {
      all.published.add({}, count)
      all.publishTime.observe({}, ms / 1_000)
    },
    returned: ({ channel }) => all.returned.add({ channel }),
    received: ({ type, channel, redelivered }) => all.received.add({ type, channel, redelivered: String(redelivered) }),
    handling() {},
    handled({ type, channel, handler, outcome, ms }) {
      all.handled.add({ type, channel, handler, outcome })
      all.handlerTime.observe({ handler }, ms / 1_000)
    },
    retrying: ({ type, handler }) => all.retried.add({ type, handler }),
    dead: ({ channel, handler, code }) => all.dead.add({ channel, handler, code }),
    outage({ part }) {
      all.outages.add({ part })
      all.down.set({ part }, 1)
    },
    recovered: ({ part }) => all.down.set({ part }, 0),
    warned: ({ part }) => all.warnings.add({ part }),
    projected({ projection, events, rows, filled, ms }) {
      all.events.add({ projection }, events)
      all.rows.add({ projection }, rows)
      all.filled.add({ projection }, filled)
      all.batchTime.observe({ projection }, ms / 1_000)
    },
    rebuilding({ projection, position, head }) {
      all.rebuildPosition.set({ projection }, position)
      all.rebuildHead.set({ projection }, head)
    },
    'fell-back': ({ projection, from, to }) => all.lostByStore.add({ projection }, from - to),
    switched: ({ projection, generation }) => all.generation.set({ projection }, generation),
    started() {},
    stopped() {},
    failed: ({ part }) => all.failed.add({ part }),
  }
}
