import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { type App, bodyOfBytes, bytesOfBody } from 'obverse'
import main from '../../../apps/orders/main.ts'
import { ORDERS_EVENTS } from '../../../apps/orders/order-view.ts'
import type { Installation } from '../../../apps/orders/test/installation.ts'
import { until } from '../../processes.ts'
import { Progress } from '../../progress.ts'
import { flatnessOf, MOST_GROWTH, type Sample, sampleOf } from '../memory.ts'
import { Findings, type Outcome } from '../outcome.ts'
import { malformed } from './malformed.ts'

export interface MessagesOptions {
  readonly count: number
  readonly seed: number
  /** What else is done once all is there, before the consumer comes. */
  readonly plant?: () => void
}

const BATCHES = 20
const AT_ONCE = 50
/** One good order comes between so many malformed messages. */
const BETWEEN = 20
/** Fewer messages leave the process warming up. */
const JUDGED_FROM = 5_000
const PATIENCE = 120_000
/** Milliseconds without another dead letter after which no more will come. */
const SETTLED = 10_000

/** Puts malformed messages on the queue, good ones between them, and looks at what a consumer makes of them. */
export async function messages(orders: Installation, { count, seed, plant }: MessagesOptions): Promise<Outcome> {
  // where the queue is in the store, nobody has to publish
  await (orders.stack === 'embedded' ? orders.start('api') : orders.startWriting())
  plant?.()
  const consumer = await orders.start('consumer')
  const app = (await main({ ...process.env, ...orders.env })) as App
  await app.open()
  const findings = new Findings()
  const samples: Sample[] = []
  const put = new Map<string, number>()
  const good: string[] = []
  const size = Math.ceil(count / BATCHES)
  const progress = new Progress(`messages, ${orders.stack}`, count)
  const add = async (bytes: Buffer): Promise<void> => {
    // a file of SQLite keeps texts: only a broker of bytes brings others
    const kept = isUtf8(bytes) || orders.stack === 'servers' ? bytes : Buffer.from(`"${bytes.toString('latin1')}`)
    const hash = hashOf(kept)
    put.set(hash, (put.get(hash) ?? 0) + 1)
    await app.operate.channels.put(ORDERS_EVENTS, bodyOfBytes(kept))
  }
  try {
    for (let sent = 0; sent < count && !consumer.exit; ) {
      const batch = fc.sample(malformed, { numRuns: Math.min(size, count - sent), seed: seed + sent })
      for (let at = 0; at < batch.length; at += AT_ONCE) {
        const chunk = batch.slice(at, at + AT_ONCE)
        await Promise.all([
          ...chunk.map(add),
          ...chunk.filter((_, n) => n % BETWEEN === 0).map(async () => good.push(await orders.create())),
        ])
        progress.update(sent + at + chunk.length)
      }
      sent += batch.length
      const drained = async () => consumer.exit !== undefined || (await orders.waiting()) === 0
      await until('the queue to be empty', drained, PATIENCE).catch((error) => findings.add(String(error)))
      const sample = consumer.exit ? undefined : await sampleOf(consumer)
      if (sample) samples.push(sample)
    }
  } finally {
    await app.stop()
  }
  const perSecond = progress.end()
  if (consumer.exit)
    findings.add(`the consumer ended with ${consumer.exit.code ?? consumer.exit.signal}`, consumer.output.slice(-1_000))
  else await allHandled(orders, good, findings)
  const deadLetters = await compare(orders, put, findings)
  const memory = flatnessOf(samples)
  if (count >= JUDGED_FROM && memory.ratio > MOST_GROWTH)
    findings.add(`memory grew from ${memory.begin} to ${memory.end} MB`)
  return {
    findings: findings.list(),
    figures: {
      malformed: count,
      deadLetters,
      good: good.length,
      perSecond,
      memoryBegin: memory.begin,
      memoryEnd: memory.end,
      memoryRatio: memory.ratio,
    },
  }
}

async function allHandled(orders: Installation, good: readonly string[], findings: Findings): Promise<void> {
  for (const id of good) {
    await orders.readable(id, 10_000).catch(() => findings.add('a good message was not handled', id))
    if (findings.list().length > 0) return
  }
}

const CODES = ['MESSAGE_MALFORMED', 'MESSAGE_TYPE_UNKNOWN', 'MESSAGE_VERSION_UNKNOWN', 'MESSAGE_INVALID']

/** Every message that was put there is a dead letter, once, as it was, with a reason; nothing else is. */
async function compare(orders: Installation, put: ReadonlyMap<string, number>, findings: Findings): Promise<number> {
  // a broker counts what waits, not what a consumer has in hand
  const count = async () => Number((await orders.rows('SELECT count(*) AS n FROM obverse_held'))[0].n)
  for (let before = -1; before < (await count()); ) {
    before = await count()
    const all = [...put.values()].reduce((sum, each) => sum + each, 0)
    await until('more dead letters', async () => before >= all || (await count()) > before, SETTLED).catch(() => {})
  }
  const rows = await orders.rows('SELECT handler, state, code, reason, body FROM obverse_held')
  const missing = new Map(put)
  for (const { handler, state, code, reason, body } of rows) {
    const bytes: Buffer = Buffer.isBuffer(body) ? body : bytesOfBody(body)
    const example = bytes.toString().slice(0, 200)
    const hash = hashOf(bytes)
    const left = missing.get(hash) ?? 0
    if (left === 0) findings.add('a dead letter with bytes that nobody put there', example)
    missing.set(hash, left - 1)
    if (handler !== null || state !== 'dead') findings.add(`a row that is ${state} for ${handler}`, example)
    if (!CODES.includes(code) || !/\w/.test(reason))
      findings.add(`a dead letter without a reason: ${code} ${reason}`, example)
  }
  const lost = [...missing.values()].reduce((sum, left) => sum + Math.max(0, left), 0)
  if (lost > 0) findings.add(`${lost} messages are no dead letter`)
  return rows.length
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64')
}
