import { metrics, type Step } from 'obverse'
import { describe, expect, it } from 'vitest'

const handled = (more: object = {}): Step => ({
  step: 'handled',
  type: 'order.created',
  messageId: 'm1',
  channel: 'mail',
  handler: 'mail-on-created',
  ms: 0.04,
  outcome: 'committed',
  ...more,
})

function textOf(steps: readonly Step[], options = {}): string {
  const watch = metrics(options)
  for (const step of steps) watch.observer(step)
  return watch.text()
}

describe('metrics', () => {
  it('are empty before anything happened', () => expect(textOf([])).toBe(''))

  it('count by type, channel, handler and outcome', () => {
    const text = textOf([handled(), handled({ messageId: 'm2' }), handled({ outcome: 'duplicate' })])
    expect(text).toContain('# TYPE obverse_messages_handled_total counter')
    const labels = 'type="order.created",channel="mail",handler="mail-on-created"'
    expect(text).toContain(`obverse_messages_handled_total{${labels},outcome="committed"} 2\n`)
    expect(text).toContain(`obverse_messages_handled_total{${labels},outcome="duplicate"} 1\n`)
  })

  it('keep what is below a millisecond, in the sum and in the buckets', () => {
    const text = textOf([handled({ ms: 0.04 }), handled({ ms: 0.2 }), handled({ ms: 60_000 })])
    const name = 'obverse_handler_duration_seconds'
    expect(text).toContain(`${name}_bucket{handler="mail-on-created",le="0.00005"} 1\n`)
    expect(text).toContain(`${name}_bucket{handler="mail-on-created",le="0.00025"} 2\n`)
    expect(text).toContain(`${name}_bucket{handler="mail-on-created",le="30"} 2\n`)
    expect(text).toContain(`${name}_bucket{handler="mail-on-created",le="+Inf"} 3\n`)
    expect(Number(new RegExp(`${name}_sum\\{[^}]*\\} (\\S+)`).exec(text)?.[1])).toBeCloseTo(60.00024, 9)
  })

  it('never have a key or an id as a label', () => {
    expect(textOf([handled({ messageId: 'the-id' })])).not.toContain('the-id')
  })

  it('are bounded: types that strangers make up are counted together', () => {
    const strange = Array.from({ length: 50 }, (_, at) => handled({ type: `made-up-${at}` }))
    const text = textOf(strange, { limit: 10 })
    const rows = text.split('\n').filter((line) => line.startsWith('obverse_messages_handled_total{'))
    expect(rows).toHaveLength(11)
    expect(rows.at(-1)).toBe(
      'obverse_messages_handled_total{type="other",channel="other",handler="other",outcome="other"} 40',
    )
  })

  it('show an outage while it lasts', () => {
    const outage: Step = { step: 'outage', part: 'store', reason: 'gone', failures: 1 }
    expect(textOf([outage])).toContain('obverse_down{part="store"} 1\n')
    expect(textOf([outage, { step: 'recovered', part: 'store' }])).toContain('obverse_down{part="store"} 0\n')
  })

  it('escape labels, and take another prefix', () => {
    const text = textOf([{ step: 'failed', part: 'a "b"\\\n', error: 0 }], { prefix: 'shop' })
    expect(text).toContain('shop_failures_total{part="a \\"b\\"\\\\\\n"} 1\n')
  })

  it('take every step there is', () => {
    const steps: Step[] = [
      { step: 'sent', type: 'a', messageId: 'm', ms: 1, outcome: 'done' },
      { step: 'asked', type: 'a', ms: 1, outcome: 'failed' },
      { step: 'sending', type: 'a', messageId: 'm', channel: 'c' },
      { step: 'stamped', count: 3 },
      { step: 'published', count: 3, ms: 1 },
      { step: 'returned', messageId: 'm', channel: 'c', reason: 'r' },
      { step: 'received', type: 'a', messageId: 'm', channel: 'c', redelivered: true },
      { step: 'handling', type: 'a', messageId: 'm', channel: 'c', handler: 'h', attempt: 1 },
      { step: 'retrying', type: 'a', messageId: 'm', handler: 'h', attempt: 1, inMs: 1, reason: 'r' },
      { step: 'dead', type: 'a', messageId: 'm', channel: 'c', handler: 'h', code: 'X', reason: 'r' },
      { step: 'projected', projection: 'p', events: 3, rows: 2, filled: 1, ms: 1 },
      { step: 'rebuilding', projection: 'p', position: 1, head: 2, perSecond: 1 },
      { step: 'switched', projection: 'p', generation: 2 },
      { step: 'started', part: 'x', detail: '' },
      { step: 'stopped', part: 'x', reason: '' },
    ]
    const text = textOf(steps)
    expect(text).toContain('obverse_events_stamped_total 3\n')
    expect(text).toContain('obverse_dead_letters_total{channel="c",handler="h",code="X"} 1\n')
    expect(text).toContain('obverse_projected_rows_total{projection="p"} 2\n')
    expect(text.split('\n').filter((line) => line.startsWith('# TYPE')).length).toBeGreaterThan(12)
  })
})
