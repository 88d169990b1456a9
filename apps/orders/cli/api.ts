import { Failed, text, type Values } from './command.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The envelope; `undefined` when the answer is not JSON. */
  readonly json: Envelope | undefined
}

export interface Envelope {
  readonly statusCode: number
  readonly data?: unknown
  readonly error?: {
    readonly type: string
    readonly description: string
    readonly fields?: Readonly<Record<string, readonly string[]>>
  }
}

/** Milliseconds an answer may take: more than a consistency token may wait. */
const PATIENCE = 10_000

/** One request to the running API. @throws {Failed} 3 when nothing answers */
export async function request(values: Values, path: string, init: RequestInit = {}): Promise<Answer> {
  const base = text(values, 'url') ?? `http://localhost:${process.env.PORT ?? 8080}`
  if (!URL.canParse(base)) throw new Failed(2, `--url ${base} is not an address; give one like http://localhost:8080`)
  let answer: Response
  try {
    answer = await fetch(new URL(path, base), { ...init, signal: AbortSignal.timeout(PATIENCE) })
  } catch (error) {
    throw new Failed(3, `${base} does not answer (${reason(error)}). Is the API running? Start it: npm start`)
  }
  const body = await answer.text()
  const isJson = answer.headers.get('content-type')?.startsWith('application/json')
  return { status: answer.status, headers: answer.headers, text: body, json: isJson ? JSON.parse(body) : undefined }
}

function reason(error: unknown): string {
  const { name, cause } = error as Error
  if (name === 'TimeoutError') return `no answer within ${PATIENCE / 1_000} s`
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? String(error)
}

/** Prints a failure for a person. */
export function printFailure({ status, json, text: body }: Answer): void {
  console.error(json?.error ? `${status} ${json.error.type}: ${json.error.description}` : `${status} ${body}`)
  for (const [field, texts] of Object.entries(json?.error?.fields ?? {})) {
    console.error(`  ${field}: ${texts.join('; ')}`)
  }
}
