import { ObverseError, type ProjectionReport } from 'obverse'
import { counted, countText } from '../age.ts'
import { type Command, command } from '../command.ts'
import { EXIT } from '../exit.ts'
import { wholeNumber } from '../flag.ts'
import { checkProjection } from '../known.ts'
import type { Output } from '../print.ts'
import { followSteps, untilStopped } from '../running.ts'

export const projectionsList: Command = command({
  words: 'projections list',
  about: 'shows the view, the rows and the lag of each',
  more: [
    '“behind” counts events between a log-fed projection and the end of the log; the others are told in the commit or ' +
      'by a channel. “parked” are dead letters and what waits behind them.',
  ],
  async run({ app, out }) {
    const projections = await app.operate.projections.list()
    if (out.json) return out.data(projections)
    if (projections.length === 0) return out.line('This application has no projections.')
    const { style } = out
    out.table(
      [
        { title: 'projection' },
        { title: 'view' },
        { title: 'store', optional: true },
        { title: 'fed by', least: 8 },
        { title: 'rows', right: true },
        { title: 'behind', right: true },
        { title: 'parked', right: true },
        { title: 'generation' },
      ],
      projections.map((one) => [
        { text: one.projection, paint: style.bold },
        one.view,
        one.store,
        one.feed,
        countText(one.rows),
        one.behind === undefined
          ? ''
          : { text: countText(one.behind), paint: one.behind > 0 ? style.warn : style.good },
        { text: countText(one.parked), paint: one.parked > 0 ? style.bad : style.dim },
        generationText(one),
      ]),
    )
    return
  },
})

function generationText({ generation: { serving, building, previous } }: ProjectionReport): string {
  const more = [building && `${building} building`, previous && `${previous} kept`].filter(Boolean)
  return more.length === 0 ? String(serving) : `${serving} (${more.join(', ')})`
}

export const projectionsRun: Command = command({
  words: 'projections run',
  about: 'feeds those that read from the log, until told to stop',
  more: ['For setups with a process for each part. Projections fed by a channel run in consume, inline ones in send.'],
  async run(context, { flags }) {
    const { app, out } = context
    const fed = app.describe().projections.filter(({ feed }) => feed === 'log')
    if (fed.length === 0) {
      throw new ObverseError('USAGE', `No projection of ${app.name} reads from the log; see obverse describe`)
    }
    const stop = followSteps(context, flags)
    const interruption = context.interruption()
    await app.start({ relay: false, consume: false, project: true })
    if (!out.json) {
      out.line(`${out.style.bold(app.name)}: projections started`)
      out.fields([['from the log', fed.map(({ name }) => name).join(', ')]])
    }
    await untilStopped(context.runtime, interruption)
    await app.stop()
    stop()
    if (!out.json) out.line(`projections stopped due to ${interruption.reason()}`)
  },
})

export const projectionsVerify: Command = command({
  words: 'projections verify',
  takes: ['NAME'],
  about: 'compares the served rows with a fold of the log',
  more: [
    'Ends with 1 when they differ. Events that arrive meanwhile may show as differences: try again, or stop writing.',
  ],
  async run({ app, out }, { positionals: [name = ''] }) {
    checkProjection(app, name)
    const report = await app.operate.projections.verify(name)
    const wrong = report.different.length + report.missing.length + report.extra.length
    if (out.json) out.data(report)
    else if (wrong === 0) out.line(`${out.style.good('✓')} ${name}: ${counted(report.rows, 'row')}, equal to the log`)
    else {
      out.line(
        `${out.style.bad('✗')} ${name}: ${counted(wrong, 'row')} of ${countText(report.rows)} not as the log says`,
      )
      ids(out, 'different', report.different)
      ids(out, 'missing', report.missing)
      ids(out, 'too many', report.extra)
      out.hint(`Build it anew: obverse projections rebuild ${name}`)
    }
    return wrong === 0 ? EXIT.done : EXIT.failed
  },
})

function ids(out: Output, title: string, all: readonly string[]): void {
  if (all.length > 0)
    out.fields([[title, `${all.slice(0, 10).join(', ')}${all.length > 10 ? `, … (${all.length})` : ''}`]])
}

export const projectionsSwitch: Command = command({
  words: 'projections switch',
  takes: ['NAME', 'GENERATION'],
  about: 'serves another generation, at once: the way back',
  examples: [['projections switch order-list 1', 'back to what was served before']],
  async run({ app, out }, { positionals: [name = '', generation = ''] }) {
    checkProjection(app, name)
    const number = wholeNumber(generation, 1, 'GENERATION')
    await app.operate.projections.switchTo(name, number)
    if (out.json) return out.data({ projection: name, generation: number })
    out.line(`${out.style.good('✓')} ${name} is served from generation ${number}`)
  },
})
