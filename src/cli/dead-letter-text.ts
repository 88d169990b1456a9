import { type DeadLetter, type DeadLetterFilter, type HeldState, oneLine } from 'obverse'
import { ageText, counted } from './age.ts'
import { filterWords } from './dead-letter-filter.ts'
import { prettyLines } from './message-text.ts'
import type { Output } from './print.ts'
import { statePaint, stateText } from './style.ts'
import { cut, pad } from './width.ts'

const NAMES: Record<HeldState, string> = {
  dead: 'dead letters',
  retry: 'messages wait for a retry',
  waiting: 'messages wait behind another',
  skipped: 'messages were given up for good',
}
const STACK_LINES = 4

export interface Listing {
  readonly filter: DeadLetterFilter
  readonly limit: number
  readonly now: number
  /** Names of everything in the application that a held row can go to. */
  readonly takers: ReadonlySet<string>
}

/** Two lines each: what and where, then why. */
export function printLetters(
  out: Output,
  letters: readonly DeadLetter[],
  { filter, limit, now, takers }: Listing,
): void {
  const { style } = out
  if (letters.length === 0) {
    const state = filter.state ?? 'dead'
    out.line(`No ${NAMES[state]}${filterWords(filter)}.`)
    if (state === 'dead') out.hint('What waits for a retry: obverse failed list --state retry')
    return
  }
  const wide = Math.max(...letters.map(({ id }) => String(id).length))
  const indent = ' '.repeat(wide + 4)
  const room = (out.columns ?? Number.POSITIVE_INFINITY) - indent.length
  for (const letter of letters) {
    const { id, state, type, handler, channel, key, attempts, at, code, reason, behind } = letter
    const what = oneLine(`${type ?? 'not a message'} → ${handler ?? `nobody on ${channel}`}`)
    const facts = [attempts > 0 ? counted(attempts, 'attempt') : '', ageText(at, now)].filter(Boolean).join(', ')
    const number = style.bold(pad(String(id), wide, true))
    const first = cut(`${stateText(state)}  ${what}  ${facts}`, room)
    out.line(`  ${number}  ${first.replace(stateText(state), statePaint(style, state))}`)
    if (key !== null) out.line(indent + style.dim(oneLine(`key ${key}${behind > 0 ? `, ${behind} behind it` : ''}`)))
    if (handler !== null && !takers.has(handler)) {
      const none = `nothing here is named ${handler}: renamed? name it again; removed? skip it`
      out.line(indent + style.warn(cut(oneLine(none), room)))
    }
    const why = cut(oneLine(`${code}  ${reason}`), room)
    out.line(indent + (why.startsWith(code) ? style.warn(code) + why.slice(code.length) : why))
  }
  out.line()
  const last = letters.at(-1)?.id
  if (letters.length >= limit)
    out.hint(`There may be more than these ${limit}; the next page: the same with --after ${last}`)
  out.hint(`Decide: obverse failed show|retry|skip ${last}, or edit ${last} --body FILE`)
}

/** Everything about one. */
export function printLetter(out: Output, letter: DeadLetter, { now, whole }: { now: number; whole: boolean }): void {
  const { style } = out
  const { id, state, attempts, behind, body, originalBody, detail } = letter
  out.line(`${style.bold(`Dead letter ${id}`)}  ${statePaint(style, state)(stateText(state))}`)
  out.fields([
    ['reason', letter.reason],
    ['code', { text: letter.code, paint: style.warn }],
    ['type', letter.type ?? '(could not be read)'],
    ['message id', letter.messageId ?? '(could not be read)'],
    ['channel', letter.channel],
    ['handler', letter.handler ?? '(none was found)'],
    ['key', letter.key ?? undefined],
    ['behind it', behind > 0 ? `${counted(behind, 'message')} of the same key` : undefined],
    ['attempts', String(attempts)],
    ['at', `${letter.at} (${ageText(letter.at, now)})`],
    ['note', letter.note],
  ])
  lines(out, originalBody === undefined ? 'Message' : 'Message, edited', prettyLines(body))
  if (originalBody !== undefined) lines(out, 'Message as it came', prettyLines(originalBody))
  if (detail !== '') {
    const all = detail.split('\n')
    const shown = whole ? all : all.slice(0, STACK_LINES)
    lines(out, 'Failure', shown)
    if (shown.length < all.length) out.hint(`  … ${counted(all.length - shown.length, 'more line')} with -v`)
  }
  if (state !== 'dead') return
  out.line()
  out.hint(`Decide: obverse failed retry ${id}, skip ${id}, or edit ${id} --body FILE`)
}

function lines(out: Output, title: string, texts: readonly string[]): void {
  out.line()
  out.title(title)
  for (const text of texts) out.line(`  ${/^ */.exec(text)?.[0] ?? ''}${oneLine(text.trimStart())}`)
}
