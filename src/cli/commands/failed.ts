import { type DeadLetter, type DeadLetterFilter, ObverseError } from 'obverse'
import { counted } from '../age.ts'
import { type Command, type Context, command } from '../command.ts'
import { filterFlags, filterOf, filterWords } from '../dead-letter-filter.ts'
import { printLetter, printLetters } from '../dead-letter-text.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { wholeNumber } from '../flag.ts'
import { takersOf } from '../known.ts'

export const failedList: Command = command({
  words: 'failed list',
  about: 'shows the messages that were given up',
  more: [
    'A dead letter holds its key: later messages of it wait behind it until it is retried, edited or skipped. --state ' +
      'shows other held rows: retry (due later), waiting (behind another), skipped (given up for good).',
  ],
  flags: {
    ...filterFlags,
    state: { kind: 'choice', choices: ['dead', 'retry', 'waiting', 'skipped'], about: 'which rows (default dead)' },
    limit: { kind: 'number', about: 'at most N rows, up to 1000 (default 100)' },
    after: { kind: 'number', least: 0, about: 'only ids above N: the next page' },
  },
  examples: [
    ['failed list --channel mail --code HANDLER_FAILED', 'of one channel and one reason'],
    ['failed list --json', 'one array'],
  ],
  async run({ app, out, runtime }, { flags }) {
    const limit = Math.min(flags.limit ?? 100, 1_000)
    const filter: DeadLetterFilter = {
      ...filterOf(flags),
      limit,
      ...(flags.state !== undefined && { state: flags.state }),
      ...(flags.after !== undefined && { after: flags.after }),
    }
    const letters = await app.operate.deadLetters.list(filter)
    if (out.json) return out.data(letters)
    printLetters(out, letters, { filter, limit, now: runtime.now(), takers: takersOf(app) })
  },
})

export const failedShow: Command = command({
  words: 'failed show',
  takes: ['ID'],
  about: 'shows one: its reason, its message, what waits for it',
  more: ['-v shows the whole stack that the handler’s failure left.'],
  async run({ app, out, runtime }, { flags, positionals: [id = ''] }) {
    const number = idOf(id)
    const letter = await app.operate.deadLetters.get(number)
    if (!letter) throw noSuch(number)
    if (out.json) return out.data(letter)
    printLetter(out, letter, { now: runtime.now(), whole: Number((flags as { verbose?: number }).verbose) > 0 })
  },
})

export const failedRetry: Command = command({
  words: 'failed retry',
  takes: ['[ID…]'],
  about: 'runs dead letters again',
  more: ['Their attempts start at zero, their message ids stay. What waits behind them follows in order.'],
  flags: {
    all: { kind: 'switch', about: 'every dead letter, or every one that the filters below leave' },
    ...filterFlags,
  },
  examples: [
    ['failed retry 12 13', 'two of them'],
    ['failed retry --all --channel mail', 'all of one channel, after the mail server is back'],
  ],
  async run(context, { flags, positionals }) {
    const filter = filterOf(flags)
    if (flags.all === positionals.length > 0 || (!flags.all && Object.keys(filter).length > 0)) {
      throw new ObverseError(
        'USAGE',
        'Give ids, or --all (with --channel, --handler, --key, --code or --message to narrow it)',
      )
    }
    const ids = flags.all ? await everyId(context, filter) : positionals.map(idOf)
    if (ids.length === 0 && !context.out.json) {
      context.out.line(`No dead letters${filterWords(filter)}: nothing to retry.`)
      return
    }
    return decide(context, ids, 'retried', (id) => context.app.operate.deadLetters.retry(id))
  },
})

export const failedEdit: Command = command({
  words: 'failed edit',
  takes: ['ID'],
  about: 'gives one another body, and runs it again',
  more: [
    'The message id stays, and the first body is kept in the row. The line break at the end of a file belongs to no body.',
  ],
  flags: { body: { kind: 'text', value: 'FILE', about: 'the new message, whole, as JSON; - for standard input' } },
  examples: [['failed show 12 --json | jq -r .body > m.json; obverse failed edit 12 --body m.json', 'after an editor']],
  async run(context, { flags, positionals: [id = ''] }) {
    if (flags.body === undefined)
      throw new ObverseError('USAGE', 'Give the new message by --body FILE (- for standard input)')
    const body = (await context.input.text(flags.body)).replace(/\r?\n$/, '')
    return decide(context, [idOf(id)], 'edited', (one) => context.app.operate.deadLetters.edit(one, body))
  },
})

export const failedSkip: Command = command({
  words: 'failed skip',
  takes: ['ID…'],
  about: 'gives them up for good: what waits behind goes on',
  more: ['They stay on record: obverse failed list --state skipped.'],
  flags: { note: { kind: 'text', value: 'TEXT', about: 'why; kept with the row' } },
  examples: [['failed skip 12 --note "test data"', 'and its key goes on']],
  async run(context, { flags, positionals }) {
    return decide(context, positionals.map(idOf), 'skipped', (id) =>
      context.app.operate.deadLetters.skip(id, flags.note),
    )
  },
})

type Word = 'retried' | 'edited' | 'skipped'

/** One after the other, so that an id that is not there does not keep the others from being done. */
async function decide(
  { out }: Context,
  ids: readonly number[],
  word: Word,
  act: (id: number) => Promise<boolean>,
): Promise<ExitCode> {
  const done: number[] = []
  const missing: number[] = []
  for (const id of ids) ((await act(id)) ? done : missing).push(id)
  if (out.json) out.data({ [word]: done, missing })
  else {
    if (done.length > 0)
      out.line(`${out.style.good('✓')} ${word} ${done.length > 10 ? counted(done.length, 'message') : done.join(', ')}`)
    if (missing.length > 0) {
      out.line(
        `${out.style.bad('✗')} no dead letter ${missing.length > 1 ? 'has the ids' : 'has the id'} ${missing.join(', ')}`,
      )
      out.hint('It may have been decided about already: obverse failed list')
    }
  }
  return missing.length > 0 ? EXIT.failed : EXIT.done
}

async function everyId({ app }: Context, filter: DeadLetterFilter): Promise<number[]> {
  const ids: number[] = []
  for (;;) {
    const page: readonly DeadLetter[] = await app.operate.deadLetters.list({
      ...filter,
      limit: 1_000,
      after: ids.at(-1) ?? 0,
    })
    ids.push(...page.map(({ id }) => id))
    if (page.length < 1_000) return ids
  }
}

function idOf(text: string): number {
  return wholeNumber(text.replace(/^#/, ''), 1, 'The id')
}

function noSuch(id: number): ObverseError {
  return new ObverseError('NO_SUCH_MESSAGE', `No held message or dead letter has the id ${id}; see obverse failed list`)
}
