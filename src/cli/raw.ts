/**
 * Messages as lines. A body is its own line wherever that is possible:
 * - a JSON object over several lines: its line breaks, which mean nothing there, become spaces
 * - any other text with a line break in it, and a blank one: a JSON string of it
 *
 * A body that looks like the second is one more time a JSON string, so {@link fromLine} gives back what was there.
 */
export function toLine(body: string): string {
  if (BREAK.test(body) && isObject(body)) return body.replace(/\r\n|\r|\n/g, ' ').trim()
  return body.trim() === '' || BREAK.test(body) || isCoded(body) ? JSON.stringify(body) : body
}

/** The body that {@link toLine} printed. */
export function fromLine(line: string): string {
  return isCoded(line) ? (JSON.parse(line) as string) : line
}

/**
 * The messages of a file: one, or with `lines` one for each line that is not empty. Without `lines` a file whose
 * every line is a message by itself, as `channels peek --json` prints them, is taken by lines too. The line break at
 * the end of a file belongs to no message.
 */
export function messagesOf(text: string, lines: boolean): string[] {
  const one = text.replace(/\r?\n$/, '')
  const parts = one.split(/\r?\n/).filter((line) => line.trim() !== '')
  if (lines) return parts.map(fromLine)
  if (parts.length > 1 && parts.every((line) => isObject(line) || isCoded(line))) return parts.map(fromLine)
  return [fromLine(one)]
}

const BREAK = /[\r\n]/

/** A JSON string of a text that cannot stand on a line of its own, or that is coded itself. */
function isCoded(line: string): boolean {
  if (!line.startsWith('"') || BREAK.test(line)) return false
  const text = parsed(line)
  return typeof text === 'string' && (text.trim() === '' || BREAK.test(text) || isCoded(text))
}

function isObject(line: string): boolean {
  const value = parsed(line)
  return typeof value === 'object' && value !== null
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
