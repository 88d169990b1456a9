import { type Command, command } from '../command.ts'
import { followSteps, untilStopped } from '../running.ts'

export const relay: Command = command({
  words: 'relay',
  about: 'takes what was committed to the log and to the broker',
  more: [
    'Stamps positions, publishes, and clears up what is no longer needed. Runs until SIGTERM or Ctrl-C, then finishes its batch and ends with 0. Several may run; one at a time stamps. ' +
      'Where the store is the queue there is nothing to publish, and it stamps and clears up only.',
  ],
  examples: [['relay -vv', 'with a line for every batch']],
  async run(context, { flags }) {
    const { app, out } = context
    const stop = followSteps(context, flags)
    const interruption = context.interruption()
    await app.start({ relay: true, consume: false, project: false })
    const { name, store, broker } = app.describe()
    if (!out.json) {
      out.line(`${out.style.bold(name)}: relay started`)
      out.fields([
        ['from', store],
        ['to', broker === store ? `${broker} (the store is the queue: nothing to publish)` : broker],
      ])
    }
    await untilStopped(context.runtime, interruption)
    await app.stop()
    stop()
    if (!out.json) out.line(`relay stopped due to ${interruption.reason()}`)
  },
})
