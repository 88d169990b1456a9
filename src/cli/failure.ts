import { isObverseError, oneLine } from 'obverse'
import type { Sink } from './print.ts'
import { styles, wantsColour } from './style.ts'

/** Prints an error: what happened, the fields, the causes in one line each; the stack only when it was asked for. */
export function printFailure(
  error: unknown,
  options: { stderr: Sink; env: NodeJS.ProcessEnv; json: boolean; stack: boolean },
): void {
  const { stderr, env, json, stack } = options
  const code = isObverseError(error) ? error.code : null
  const message = oneLine(messageOf(error))
  const fields = isObverseError(error) ? error.fields : undefined
  if (json) {
    stderr.write(`${JSON.stringify({ error: { code, message, ...(fields && { fields }) } })}\n`)
    return
  }
  const style = styles(wantsColour(env, stderr.isTTY === true))
  stderr.write(`${style.bad(code === null ? 'error' : `error ${code}`)}: ${message}\n`)
  for (const [field, texts] of Object.entries(fields ?? {})) {
    for (const text of texts) stderr.write(`  ${style.bold(oneLine(field) || '(the whole)')}  ${oneLine(text)}\n`)
  }
  const said = [message]
  for (const cause of causesOf(error)) {
    const text = oneLine(messageOf(cause))
    if (said.some((one) => one.includes(text))) continue
    said.push(text)
    stderr.write(`  ${style.dim('because')}  ${text}\n`)
  }
  if (stack && error instanceof Error) {
    for (const one of [error, ...causesOf(error)]) stderr.write(`${style.dim(stackOf(one))}\n`)
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message || error.name
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = []
  for (let at = error; at instanceof Error && at.cause !== undefined && causes.length < 5; at = at.cause) {
    causes.push(at.cause)
  }
  return causes
}

function stackOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return stack.split('\n').map(oneLine).join('\n')
}
