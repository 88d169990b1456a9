import fc from 'fast-check'
import type { Installation } from '../../../apps/orders/test/installation.ts'
import { Progress } from '../../progress.ts'
import { flatnessOf, MOST_GROWTH, type Sample, sampleOf } from '../memory.ts'
import { Findings, type Outcome } from '../outcome.ts'
import { audit } from './audit.ts'
import { KNOWN_ID, KNOWN_TOKEN } from './headers.ts'
import { wrongAbout } from './judge.ts'
import { type Description, type Request, requestsOf } from './request.ts'
import { type Answer, Sender } from './sender.ts'

export interface RequestsOptions {
  readonly count: number
  readonly seed: number
  /** From how many requests on growing memory is a finding. Default 20,000. */
  readonly judged?: number
}

/** After each of them everything is answered, and the memory is asked for. */
const BATCHES = 20
const IN_FLIGHT = 24
/** Fewer requests leave the process warming up. */
const JUDGED_FROM = 20_000
const REMEMBERED = 500
/** A 503 that was asked for, by a token of what nobody wrote. */
const LATE = /did not show key/
const STATUSES = [2, 3, 4, 5] as const

/** Sends requests that are made of the application's own description, and holds every answer and all rows to what it promises. */
export async function requests(
  orders: Installation,
  { count, seed, judged = JUDGED_FROM }: RequestsOptions,
): Promise<Outcome> {
  const api = await orders.start('all')
  const description = (await orders.get('/openapi.json')).json as Description
  const arbitrary = requestsOf(description)
  const sender = new Sender(orders.url)
  const findings = new Findings()
  const known = {
    ids: [] as string[],
    tokens: [] as string[],
    created: new Set<string>(),
    changes: new Set<string>(),
    unknown: 0,
  }
  const statuses = new Map<number, number>()
  const samples: Sample[] = []
  const size = Math.ceil(count / BATCHES)
  const progress = new Progress(`requests, ${orders.stack}`, count)

  const one = async (made: Request, number: number): Promise<void> => {
    const request = completed(made, known, number)
    const answer = await sender.send(request).catch((error: Error) => {
      findings.add(`no answer: ${error.message}`, brief(request))
      return null
    })
    if (answer === null) return
    if (answer) statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    const wrong = wrongAbout(request, answer, description)
    if (wrong !== undefined) findings.add(wrong, `${brief(request)} -> ${answer?.status} ${answer?.text.slice(0, 300)}`)
    if (answer?.status === 503 && request.method !== 'GET') known.unknown += 1
    if (answer) remember(answer)
  }
  const remember = ({ status, headers, text }: Answer): void => {
    const token = headers['consistency-token']
    if (typeof token === 'string') {
      known.tokens[
        (known.tokens.length < REMEMBERED ? known.tokens.length : status * known.created.size) % REMEMBERED
      ] = token
      if (status === 200) known.changes.add(token)
    }
    if (status !== 201) return
    const { id } = (JSON.parse(text) as { data: { id: string } }).data
    known.created.add(id)
    known.ids[known.created.size % REMEMBERED] = id
  }

  await seedOrder(orders, remember)
  for (let sent = 0; sent < count && !api.exit; ) {
    const batch = fc.sample(arbitrary, { numRuns: Math.min(size, count - sent), seed: seed + sent })
    let next = 0
    const lane = async () => {
      while (next < batch.length && !api.exit) {
        const at = next++
        await one(batch[at] as Request, sent + at)
        progress.update(sent + at + 1)
      }
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
    sent += batch.length
    const sample = api.exit ? undefined : await sampleOf(api)
    if (sample) samples.push(sample)
  }
  const perSecond = progress.end()
  sender.close()
  if (api.exit) findings.add(`the process ended with ${api.exit.code ?? api.exit.signal}`, api.output.slice(-1_000))
  else await audit(orders, known, findings)
  const odd = api.stderr.split('\n').filter((line) => /Error/.test(line) && !LATE.test(line))
  for (const line of odd.slice(0, 3)) findings.add('the process reported an error', line)
  const memory = flatnessOf(samples)
  if (count >= judged && memory.ratio > MOST_GROWTH)
    findings.add(`memory grew from ${memory.begin} to ${memory.end} MB`)
  const classes = Object.fromEntries(STATUSES.map((hundred) => [`${hundred}xx`, sumOf(statuses, hundred)]))
  return {
    findings: findings.list(),
    figures: {
      requests: count,
      ...classes,
      created: known.created.size,
      changed: known.changes.size,
      perSecond,
      ...prefixed(memory),
    },
  }
}

function prefixed({ begin, end, ratio }: ReturnType<typeof flatnessOf>): Record<string, number> {
  return { memoryBegin: begin, memoryEnd: end, memoryRatio: ratio }
}

function sumOf(statuses: ReadonlyMap<number, number>, hundred: number): number {
  return [...statuses].reduce((sum, [status, n]) => sum + (Math.floor(status / 100) === hundred ? n : 0), 0)
}

/** With an id and a token that the application gave. */
function completed(
  request: Request,
  { ids, tokens }: { readonly ids: readonly string[]; readonly tokens: readonly string[] },
  number: number,
): Request {
  const given = ids.filter(Boolean)
  const id = given[number % given.length] ?? ''
  const token = tokens[number % Math.max(1, tokens.length)] ?? ''
  const headers = Object.entries(request.headers).map(([name, value]) => [name, value.replace(KNOWN_TOKEN, token)])
  return { ...request, target: request.target.replace(KNOWN_ID, id), headers: Object.fromEntries(headers) }
}

/** One that exists, so that ids and tokens can be asked for from the first request on. */
async function seedOrder(orders: Installation, remember: (answer: Answer) => void): Promise<void> {
  const { status, headers, text } = await orders.post({
    customer_name: 'First',
    customer_email: 'first@example.com',
    items: [{ product: 'p', quantity: 1, price: 1 }],
  })
  remember({ status, headers: Object.fromEntries(headers), text })
}

function brief({ method, target, headers, body, raw }: Request): string {
  return `${raw ?? ''} ${method} ${target.slice(0, 200)} ${JSON.stringify(headers).slice(0, 200)} ${body?.toString().slice(0, 300) ?? ''}`.trim()
}
