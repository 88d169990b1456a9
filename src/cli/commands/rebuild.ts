import { counted, countText, durationText } from '../age.ts'
import { type Command, command } from '../command.ts'
import { EXIT } from '../exit.ts'
import { checkProjection } from '../known.ts'
import { progress } from '../progress.ts'

export const projectionsRebuild: Command = command({
  words: 'projections rebuild',
  takes: ['NAME'],
  about: 'builds a view anew from the log, then switches to it',
  more: [
    'The old view answers meanwhile. A rebuild that was cut off goes on where it stopped, or begins again when the projection has changed. Ctrl-C stops it; what is served stays what it was.',
  ],
  flags: {
    'no-switch': { kind: 'switch', about: 'builds only; projections switch serves it later' },
    fresh: { kind: 'switch', about: 'begins at 0 even if one that was cut off could go on' },
  },
  examples: [['projections rebuild order-list', 'with its progress on standard error']],
  async run(context, { flags, positionals: [name = ''] }) {
    const { app, out, runtime } = context
    checkProjection(app, name)
    const { signal } = context.interruption()
    const shown = progress(`rebuilding ${name}`, out.aside, runtime)
    const report = await app.operate.projections
      .rebuild(name, {
        noSwitch: flags['no-switch'],
        fresh: flags.fresh,
        signal,
        onProgress: (state) => shown.update(state),
      })
      .finally(() => shown.end())
    if (out.json) out.data(report)
    else {
      const { events, rows, ms, generation, switched } = report
      const pace = ms > 0 ? `, ${countText((events / ms) * 1_000)}/s` : ''
      out.line(
        `${out.style.good('✓')} ${name}: ${counted(rows, 'row')} from ${counted(events, 'event')} in ${durationText(ms)}${pace}`,
      )
      if (switched) out.line(`  now served from generation ${generation}`)
      else out.hint(`  not served yet: obverse projections switch ${name} ${generation}`)
    }
    return signal.aborted && !report.switched && !flags['no-switch'] ? EXIT.failed : EXIT.done
  },
})
