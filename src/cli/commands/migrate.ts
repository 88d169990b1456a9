import { counted } from '../age.ts'
import { type Command, command } from '../command.ts'

export const migrate: Command = command({
  words: 'migrate',
  about: 'makes or updates the tables, each step once',
  more: [
    'Ours first, then those of the application, under a lock: several processes may run it at once.',
    '--print gives the statements of ours, in one transaction where the store can, and names those of the application.',
  ],
  flags: { print: { kind: 'switch', about: 'prints the statements of our pending steps and changes nothing' } },
  examples: [['migrate --print > pending.sql', 'to be read before a release']],
  async run({ app, out }, { flags }) {
    if (flags.print) {
      const statements = await app.operate.printMigrations()
      if (out.json) return out.data(statements)
      if (statements.length === 0) out.hint('-- Nothing is pending.')
      for (const statement of statements) out.line(/;\s*$|^--/.test(statement) ? statement : `${statement};`)
      return
    }
    const applied = await app.operate.migrate()
    if (out.json) return out.data(applied)
    for (const name of applied) out.line(`  ${out.style.good('✓')} ${name}`)
    out.line(
      applied.length === 0
        ? 'Nothing to do: the tables are up to date.'
        : `Applied ${counted(applied.length, 'step')}.`,
    )
  },
})
