import { ObverseError } from 'obverse'
import { type Command, command } from '../command.ts'
import { EXIT } from '../exit.ts'

export const reset: Command = command({
  words: 'reset',
  about: 'empties everything and makes the tables again',
  more: [
    'Log, channels, dead letters, views, the tables of the application: for demonstrations and development. Stop the consumers first.',
  ],
  flags: { yes: { kind: 'switch', short: 'y', about: 'do not ask' } },
  async run({ app, out, input }, { flags }) {
    const { name, store } = app.describe()
    if (!flags.yes) {
      if (!input.isTerminal) {
        throw new ObverseError('USAGE', `reset empties all of ${name} (${store}); give --yes if that is what you want`)
      }
      const answer = await input.ask(`This empties all of ${name} (${store}). Type its name to go on: `)
      if (answer !== name) {
        out.line('Nothing was changed.')
        return EXIT.failed
      }
    }
    await app.operate.reset()
    if (out.json) return out.data({ reset: name })
    out.line(`${name} is empty, and its tables are made again.`)
    return
  },
})
