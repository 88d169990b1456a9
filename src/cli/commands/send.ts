import type { Message, Receipt, SendOptions, Sent } from 'obverse'
import { type Command, command } from '../command.ts'
import { definitionOf } from '../known.ts'

export const send: Command = command({
  words: 'send',
  takes: ['TYPE', '[JSON]'],
  about: 'sends a command',
  more: [
    'JSON is the data, - reads it from standard input, without it the data is {}. A synchronous command is done when ' +
      'this ends; an asynchronous one is accepted, and --wait waits for a consumer to handle it.',
  ],
  flags: {
    'idempotency-key': { kind: 'text', value: 'KEY', about: 'a repeat with the same key gets the same answer' },
    principal: { kind: 'text', value: 'NAME', about: 'on whose behalf' },
    delay: { kind: 'duration', about: 'not before this time has passed: 500ms, 60s, 5m' },
    wait: { kind: 'switch', about: 'waits until an asynchronous command is handled' },
    timeout: { kind: 'duration', about: 'how long --wait waits (default 30s)' },
  },
  examples: [
    ['send orders.place \'{"orderId":"42"}\'', 'and shows its result and its token'],
    ['send mail.all - --wait < mail.json', 'data from a file, and waits'],
  ],
  async run({ app, out, input }, { flags, positionals: [type = '', json] }) {
    const definition = definitionOf(app, type, 'command')
    const data = await input.json(json)
    const options: SendOptions = {
      ...(flags['idempotency-key'] !== undefined && { idempotencyKey: flags['idempotency-key'] }),
      ...(flags.principal !== undefined && { principal: flags.principal }),
      ...(flags.delay !== undefined && { delay: flags.delay }),
    }
    const message = definition(data) as Message<string, unknown, 'command'>
    const answer = (await app.send(message, options)) as Sent<unknown> | Receipt<unknown>
    const accepted = 'done' in answer
    const waits = accepted && flags.wait
    const timeout = flags.timeout === undefined ? {} : { timeout: flags.timeout }
    const result = !accepted ? answer.result : waits ? await answer.done(timeout) : undefined
    const state = accepted && !waits ? 'accepted' : 'done'
    const replayed = !accepted && answer.replayed
    const { messageId, token } = answer
    if (out.json) {
      return out.data({
        messageId,
        state,
        token,
        ...(result !== undefined && { result }),
        ...(replayed && { replayed }),
      })
    }
    const note = replayed ? ' (answered before: this is that answer)' : ''
    out.line(`${out.style.good('✓')} ${out.style.bold(type)} ${state}${note}`)
    out.fields([
      ['result', result === undefined ? undefined : JSON.stringify(result)],
      ['message id', messageId],
    ])
    // whole, whatever the width: it is there to be copied
    if (token !== '') out.line(`  ${out.style.dim('token     ')}  ${token}`)
    if (state === 'accepted') out.hint(`  What became of it: obverse status ${messageId}`)
  },
})
