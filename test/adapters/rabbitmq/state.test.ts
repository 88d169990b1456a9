import { describe, expect, test } from 'vitest'
import { type LinkEvent, type LinkState, next, TRANSITIONS } from '../../../src/adapters/rabbitmq/state.ts'

const states = Object.keys(TRANSITIONS) as LinkState[]
const reach = (...events: LinkEvent[]): LinkState =>
  events.reduce<LinkState>((state, event) => next(state, event) ?? state, 'idle')

describe('the states of a link', () => {
  test('go from the first need to open, and through a loss back to open', () => {
    expect(reach('needed', 'opened')).toBe('open')
    expect(reach('needed', 'opened', 'lost')).toBe('waiting')
    expect(reach('needed', 'opened', 'lost', 'due')).toBe('connecting')
    expect(reach('needed', 'opened', 'lost', 'due', 'opened')).toBe('open')
  })

  test('a try that fails waits, and is followed by another, without end', () => {
    expect(reach('needed', 'failed', 'due', 'failed', 'due', 'failed')).toBe('waiting')
    expect(reach('needed', 'failed', 'due', 'failed', 'due', 'opened')).toBe('open')
  })

  test('blocked is left by the end of the alarm, by a loss and by closing', () => {
    expect(reach('needed', 'opened', 'blocked')).toBe('blocked')
    expect(reach('needed', 'opened', 'blocked', 'unblocked')).toBe('open')
    expect(reach('needed', 'opened', 'blocked', 'lost')).toBe('waiting')
    expect(reach('needed', 'opened', 'blocked', 'close')).toBe('closing')
  })

  test('a loss that two sides report is one', () => {
    expect(reach('needed', 'opened', 'lost', 'lost')).toBe('waiting')
    expect(next('waiting', 'lost')).toBeUndefined()
  })

  test('closing is possible everywhere, and nothing leads out of closed', () => {
    for (const state of states) {
      if (state === 'closing' || state === 'closed') continue
      expect(['closing', 'closed']).toContain(next(state, 'close'))
    }
    expect(next('closing', 'ended')).toBe('closed')
    expect(TRANSITIONS.closed).toEqual({})
  })

  test('every state can be reached', () => {
    const reached = new Set<LinkState>(['idle'])
    for (const state of reached) for (const to of Object.values(TRANSITIONS[state])) reached.add(to)
    expect([...reached].sort()).toEqual([...states].sort())
  })
})
