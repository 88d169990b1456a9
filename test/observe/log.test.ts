import { type LogTone, logJson, logSteps, type Step } from 'obverse'
import { describe, expect, it } from 'vitest'

const now = () => Date.parse('2026-03-01T12:00:00.123Z')
const message = { type: 'order.created', messageId: 'm1', channel: 'mail', handler: 'mail-on-created' }
const received: Step = { step: 'received', ...message, redelivered: false }
const sending: Step = { step: 'sending', type: 'mail.send', messageId: 'm2', channel: 'mails' }
const handling: Step = { step: 'handling', ...message, attempt: 1 }
const handled: Step = { step: 'handled', ...message, ms: 0.4213, outcome: 'committed' }
const retrying: Step = { step: 'retrying', ...message, attempt: 2, inMs: 2_000, reason: 'no answer' }

function lines(level: 'normal' | 'v' | 'vv', steps: readonly Step[]): string[] {
  const written: string[] = []
  const observe = logSteps({ level, now, write: (line) => written.push(line), kind: () => 'event' })
  for (const step of steps) observe(step)
  return written
}

describe('steps as lines for people', () => {
  it('say one line for an event, however many handlers it has', () => {
    const second: Step = { ...handled, handler: 'another' }
    expect(lines('normal', [received, handling, handled, second])).toEqual(['Processed event: order.created'])
  })

  it('say nothing of an event that was only a duplicate', () => {
    expect(lines('normal', [{ ...handled, outcome: 'duplicate' }])).toEqual([])
  })

  it('say with -v one line for each message and handler, with what is below a millisecond', () => {
    expect(lines('v', [received, handling, handled])).toEqual([
      '12:00:00.123  order.created  mail-on-created  committed  0.42 ms  m1',
    ])
  })

  it('say with -vv each step in the order of the message', () => {
    expect(lines('vv', [received, handling, sending, handled])).toEqual([
      '12:00:00.123  received order.created on mail  m1',
      '12:00:00.123  sending mail.send with mails sender  m2',
      '12:00:00.123  order.created handled by mail-on-created in 0.42 ms  m1',
      '12:00:00.123  order.created handled successfully  m1',
    ])
  })

  it('say what failed at every level', () => {
    for (const level of ['normal', 'v', 'vv'] as const) {
      expect(lines(level, [retrying])[0]).toContain('failed in mail-on-created, attempt 2, next in 2 s: no answer')
    }
  })

  it('say an outage when it begins and when it ends, not at every try', () => {
    const outage = (failures: number): Step => ({ step: 'outage', part: 'store', reason: 'gone', failures })
    const tries = Array.from({ length: 9 }, (_, at) => outage(at + 1))
    expect(lines('normal', [...tries, { step: 'recovered', part: 'store' }])).toEqual([
      'store does not answer, trying again (1): gone',
      'store answers again',
    ])
  })

  it('obey no control character of a message', () => {
    const [line] = lines('normal', [{ ...retrying, reason: 'a\u001b[31mb\r\nc\u202e' }])
    expect(line).toContain('a\\x1b[31mb c\\u202e')
  })

  it('give each line its tone, and with -vv the stack of a failure', () => {
    const written: [string, LogTone][] = []
    const observe = logSteps({ level: 'vv', now, write: (line, tone) => written.push([line, tone]) })
    observe({ step: 'failed', part: 'relay', error: new Error('boom') })
    expect(written[0]).toEqual(['12:00:00.123  relay failed: boom', 'bad'])
    expect(written.length).toBeGreaterThan(1)
    expect(written[1]?.[0]).toContain('log.test.ts')
  })
})

describe('steps as JSON', () => {
  it('are one line each with level and time, without what happens several times a message', () => {
    const written: string[] = []
    const observe = logJson((line) => written.push(line), { now })
    for (const step of [received, handling, handled, retrying]) observe(step)
    expect(written.map((line) => JSON.parse(line))).toEqual([
      { level: 'info', time: '2026-03-01T12:00:00.123Z', ...handled },
      { level: 'warn', time: '2026-03-01T12:00:00.123Z', ...retrying },
    ])
  })

  it('are all there when asked for', () => {
    const written: string[] = []
    const observe = logJson((line) => written.push(line), { now, steps: 'all' })
    for (const step of [received, handling, handled]) observe(step)
    expect(written).toHaveLength(3)
  })

  it('go to a logger as fields and a text, at its level, called as a method', () => {
    class Recorder {
      readonly calls: unknown[] = []
      info(fields: object, text: string): void {
        this.calls.push(['info', fields, text])
      }
      warn(fields: object, text: string): void {
        this.calls.push(['warn', fields, text])
      }
      error(fields: object, text: string): void {
        this.calls.push(['error', fields, text])
      }
    }
    const logger = new Recorder()
    const observe = logJson(logger)
    observe(handled)
    observe({ step: 'failed', part: 'relay', error: new TypeError('boom') })
    expect(logger.calls[0]).toEqual(['info', handled, 'handled order.created'])
    expect(logger.calls[1]).toMatchObject([
      'error',
      { part: 'relay', error: { code: 'TypeError', message: 'boom', stack: expect.stringContaining('log.test.ts') } },
      'failed relay',
    ])
  })
})
