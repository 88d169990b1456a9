import { ObverseError, oneLine, type TraceNode } from 'obverse'
import { ageText } from '../age.ts'
import { type Command, command } from '../command.ts'
import type { Output } from '../print.ts'
import { statePaint, stateText } from '../style.ts'

export const trace: Command = command({
  words: 'trace',
  takes: ['MESSAGE_ID'],
  about: 'shows what one request caused, as a tree',
  more: ['Any message of it will do: the tree is that of the correlation.'],
  async run({ app, out, runtime }, { positionals: [id = ''] }) {
    const roots = await app.operate.trace(id)
    if (roots.length === 0)
      throw new ObverseError(
        'NO_SUCH_MESSAGE',
        `No message has the id ${JSON.stringify(id)}; ids are those that send and the log show`,
      )
    if (out.json) return out.data(roots)
    const now = runtime.now()
    for (const root of roots) printNode(out, root, { asked: id, now, lead: '', last: true, top: true })
  },
})

interface Place {
  readonly asked: string
  readonly now: number
  /** The lines of the tree to the left. */
  readonly lead: string
  readonly last: boolean
  readonly top: boolean
}

function printNode(out: Output, node: TraceNode, place: Place): void {
  const { style } = out
  const { lead, last, top, asked, now } = place
  const branch = top ? '' : last ? '└─ ' : '├─ '
  const type = oneLine(node.type)
  const mark = node.messageId === asked ? style.info(' ←') : ''
  const below = top ? '' : lead + (last ? '   ' : '│  ')
  out.line(
    `${style.dim(lead + branch)}${statePaint(style, node.state)(stateText(node.state))}  ${style.bold(type)}  ${style.dim(ageText(node.at, now))}${mark}`,
  )
  const stem = style.dim(below + (node.caused.length > 0 ? '│  ' : '   '))
  const position = node.position === undefined ? '' : `  position ${node.position}`
  const seq = node.seq === undefined ? '' : `  seq ${node.seq}`
  out.line(stem + style.dim(`${node.messageId}${seq}${position}`))
  if (node.reason !== undefined) out.line(stem + style.warn(oneLine(node.reason)))
  for (const [at, child] of node.caused.entries()) {
    printNode(out, child, { asked, now, lead: below, last: at === node.caused.length - 1, top: false })
  }
}
