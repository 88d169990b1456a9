import { oneLine } from 'obverse'
import { counted } from '../age.ts'
import { type Command, command } from '../command.ts'
import { EXIT } from '../exit.ts'
import { statePaint, stateText } from '../style.ts'
import { pad, width, wrap } from '../width.ts'

export const doctor: Command = command({
  words: 'doctor',
  about: 'looks for what is wrong, and says what to do about it',
  more: ['Looks at configuration, tables, lag, stuck keys and the clock. Ends with 1 when it finds an error.'],
  async run({ app, out }) {
    const findings = await app.operate.doctor()
    const errors = findings.filter(({ level }) => level === 'error').length
    const warnings = findings.filter(({ level }) => level === 'warning').length
    if (out.json) out.data(findings)
    else {
      const wide = Math.max(0, ...findings.map(({ subject }) => width(subject)))
      const room = (out.columns ?? 100) - wide - 6
      for (const { level, subject, says, remedy } of findings) {
        const symbol = statePaint(out.style, level)(stateText(level).slice(0, 1))
        const [first = '', ...more] = wrap(oneLine(says), room)
        out.line(`  ${symbol} ${out.style.bold(pad(oneLine(subject), wide))}  ${first}`)
        const indent = ' '.repeat(wide + 6)
        for (const line of more) out.line(indent + line)
        const advice = remedy === undefined ? [] : wrap(`→ ${oneLine(remedy)}`, room)
        for (const line of advice) out.line(indent + out.style.info(line))
      }
      const verdict =
        errors > 0 ? counted(errors, 'error') : warnings > 0 ? counted(warnings, 'warning') : 'All is well.'
      const paint = errors > 0 ? out.style.bad : warnings > 0 ? out.style.warn : out.style.good
      out.line()
      out.line(paint(errors > 0 && warnings > 0 ? `${verdict}, ${counted(warnings, 'warning')}` : verdict))
    }
    return errors > 0 ? EXIT.failed : EXIT.done
  },
})
