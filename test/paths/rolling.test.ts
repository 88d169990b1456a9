import { aggregate, command, createApp, decide, event, handle, type Store, unchecked } from 'obverse'
import { describe, expect, test } from 'vitest'
import { stores } from './stores.ts'

const Open = command('open', unchecked<{ k: string }>())
const Opened = event('opened', unchecked<{ k: string }>(), { key: (e) => e.k })
const Closed = event('closed', unchecked<{ k: string }>(), { key: (e) => e.k })
const door = aggregate('door', () => ({}))
  .on(Opened, (state) => state)
  .on(Closed, (state) => state)
const open = decide(Open, { aggregate: door, id: (c) => c.k }, (c) => Opened(c))
const onClosed = handle(Closed, { channel: 'events', name: 'on-closed' }, () => {})

/** Two versions of one application over the same data: the older knows `Opened`, and has no handler for it. */
function versions(store: Store) {
  const ran: string[] = []
  const onOpened = handle(Opened, { channel: 'events', name: 'on-opened' }, (e) => void ran.push(e.k))
  return {
    ran,
    newer: createApp({ handlers: [open, onClosed, onOpened], store }),
    older: createApp({ handlers: [open, onClosed], store }),
  }
}

describe.each(stores)('a rolling deployment on %s', (_, store) => {
  test('keeps what the older version has no handler for, and the newer one takes it back', async () => {
    const { older, newer, ran } = versions(store())
    // one of them stays open all the time: memory lives as long as its store is open
    await older.open()
    await newer.open()
    await newer.send(Open({ k: 'a' }))
    expect(await older.consume(['events'], { stopWhenEmpty: true })).toMatchObject({ handled: 1, failed: 1 })
    expect(await older.operate.deadLetters.list()).toMatchObject([
      { code: 'MESSAGE_TYPE_UNKNOWN', type: 'opened', channel: 'events', handler: null },
    ])
    await older.drain()
    expect(await older.operate.deadLetters.list()).toHaveLength(1)
    await newer.drain()
    expect(ran).toEqual(['a'])
    expect(await newer.operate.deadLetters.list()).toEqual([])
    await older.stop()
    await newer.stop()
  })

  test('needs no relay for that: a process that only consumes takes back what was refused', async () => {
    const { older, newer, ran } = versions(store())
    await older.open()
    await newer.send(Open({ k: 'a' }))
    await older.consume(['events'], { stopWhenEmpty: true })
    expect(await newer.consume(['events'], { stopWhenEmpty: true })).toMatchObject({ handled: 1, failed: 0 })
    expect(ran).toEqual(['a'])
    expect(await newer.operate.deadLetters.list()).toEqual([])
    await older.stop()
    await newer.stop()
  })

  test('keeps what was put on the wrong channel', async () => {
    const { newer, ran } = versions(store())
    await newer.open()
    const body = JSON.stringify({
      id: 'm1',
      type: 'open',
      kind: 'command',
      schemaVersion: 1,
      time: '2030-01-01T00:00:00.000Z',
      key: null,
      data: { k: 'a' },
    })
    await newer.operate.channels.put('events', body)
    await newer.drain()
    expect(ran).toEqual([])
    expect(await newer.operate.deadLetters.list()).toMatchObject([{ code: 'MESSAGE_TYPE_UNKNOWN', body }])
    await newer.stop()
  })
})
