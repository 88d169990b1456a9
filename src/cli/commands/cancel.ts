import { ObverseError } from 'obverse'
import { type Command, command } from '../command.ts'
import { EXIT } from '../exit.ts'

export const cancel: Command = command({
  words: 'cancel',
  takes: ['MESSAGE_ID'],
  about: 'calls off a command that is delayed or still waits',
  more: ['Ends with 1 when it is too late: a consumer has taken it, or it is done. Events cannot be called off.'],
  async run({ app, out }, { positionals: [id = ''] }) {
    const cancelled = await app.operate.cancel(id)
    if (out.json) out.data({ messageId: id, cancelled })
    else if (cancelled) out.line(`${out.style.good('✓')} called off: it will not run`)
    else if (await app.operate.status(id))
      out.line(`${out.style.bad('✗')} too late: obverse status ${id} says where it is`)
    else
      throw new ObverseError(
        'NO_SUCH_MESSAGE',
        `No message has the id ${JSON.stringify(id)}; ids are those that send shows`,
      )
    return cancelled ? EXIT.done : EXIT.failed
  },
})
