import { ObverseError, oneLine } from 'obverse'
import { ageText } from '../age.ts'
import { type Command, command } from '../command.ts'
import { EXIT } from '../exit.ts'
import { statePaint, stateText } from '../style.ts'

export const status: Command = command({
  words: 'status',
  takes: ['MESSAGE_ID'],
  about: 'says what became of one message',
  more: ['Ends with 1 when it failed, is a dead letter, or is not known.'],
  async run({ app, out, runtime }, { positionals: [id = ''] }) {
    const report = await app.operate.status(id)
    if (!report) {
      throw new ObverseError(
        'NO_SUCH_MESSAGE',
        `No message has the id ${JSON.stringify(id)}; a synchronous command without events leaves none, others are forgotten with time`,
      )
    }
    if (out.json) out.data(report)
    else {
      const { type, state, reason, result, key, seq, position, correlationId, causationId, at, messageId } = report
      const { due, handlers = [] } = report
      out.line(`${out.style.bold(oneLine(type))}  ${statePaint(out.style, state)(stateText(state))}`)
      out.fields([
        ['reason', reason],
        ['not before', due],
        ['result', result === undefined ? undefined : JSON.stringify(result)],
        ['message id', messageId],
        ['key', key ?? undefined],
        ['seq', seq?.toString()],
        ['position', position?.toString()],
        ['correlation', correlationId],
        ['caused by', causationId ?? undefined],
        ['at', `${at} (${ageText(at, runtime.now())})`],
      ])
      for (const handler of handlers) {
        const why = handler.reason === undefined ? '' : `  ${out.style.dim(oneLine(handler.reason))}`
        out.line(`  ${statePaint(out.style, handler.state)(stateText(handler.state))}  ${oneLine(handler.name)}${why}`)
      }
      out.hint(`  What belongs to it: obverse trace ${messageId}`)
    }
    return report.state === 'failed' || report.state === 'dead' ? EXIT.failed : EXIT.done
  },
})
