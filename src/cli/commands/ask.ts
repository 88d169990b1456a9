import type { AskOptions, Message } from 'obverse'
import { oneLine } from 'obverse'
import { type Command, command } from '../command.ts'
import { definitionOf } from '../known.ts'

export const ask: Command = command({
  words: 'ask',
  takes: ['TYPE', '[JSON]'],
  about: 'asks a query, and prints its answer as JSON',
  more: ['JSON is the question, - reads it from standard input, without it the question is {}. No answer is null.'],
  flags: {
    after: { kind: 'text', value: 'TOKEN', about: 'the answer includes the write that gave this token' },
    timeout: { kind: 'duration', about: 'how long to wait for that (default 5s)' },
    principal: { kind: 'text', value: 'NAME', about: 'on whose behalf' },
  },
  examples: [['ask orders.get \'{"orderId":"42"}\' --after TOKEN', 'reads what was just written']],
  async run({ app, out, input }, { flags, positionals: [type = '', json] }) {
    const definition = definitionOf(app, type, 'query')
    const question = definition(await input.json(json)) as Message<string, unknown, 'query'>
    const options: AskOptions = {
      ...(flags.after !== undefined && { after: flags.after }),
      ...(flags.timeout !== undefined && { timeout: flags.timeout }),
      ...(flags.principal !== undefined && { principal: flags.principal }),
    }
    const answer = (await app.ask(question, options)) ?? null
    if (out.json) return out.data(answer)
    for (const line of JSON.stringify(answer, null, 2).split('\n')) {
      out.line(`${/^ */.exec(line)?.[0]}${oneLine(line.trimStart())}`)
    }
  },
})
