import { ObverseError, type TraceNode } from 'obverse'
import { describe, expect, it } from 'vitest'
import { handMade, KEY, letter, NOW } from './hand-made.ts'
import { terminal } from './terminal.ts'

const json = (text: string): unknown => JSON.parse(text)

describe('every command', () => {
  it('stops the application when it is done, and when it failed', async () => {
    const { app, scene } = handMade()
    await terminal(app)('channels', 'list')
    expect(scene.calls.at(-1)).toEqual(['stop'])
    scene.fails = new Error('boom')
    expect((await terminal(app)('channels', 'list')).code).toBe(1)
    expect(scene.calls.at(-1)).toEqual(['stop'])
  })

  it.each([
    [new ObverseError('STORE_UNREACHABLE', 'orders.db cannot be opened'), 3],
    [new ObverseError('CONFIGURATION_INVALID', 'no'), 2],
    [new ObverseError('SCHEMA_OUTDATED', 'old'), 2],
    [new ObverseError('STORE_CORRUPT', 'broken'), 1],
    [new TypeError('a mistake'), 1],
  ])('ends with the code of its failure: %s', async (error, code) => {
    const { app, scene } = handMade()
    scene.fails = error
    expect((await terminal(app)('consume', 'mail')).code).toBe(code)
  })

  it('says a failure once, with fields and causes, and keeps the stack for -vv', async () => {
    const { app, scene } = handMade()
    scene.fails = new ObverseError('VALIDATION_FAILED', 'orders.place has a bad field', {
      fields: { 'items[0].quantity': ['must be at least 1'] },
      cause: new Error('the cause\u001b[2J'),
    })
    const short = await terminal(app)('send', 'orders.place')
    expect(short.stdout).toBe('')
    expect(short.stderr.split('\n')).toEqual([
      'error VALIDATION_FAILED: orders.place has a bad field',
      '  items[0].quantity  must be at least 1',
      '  because  the cause\\x1b[2J',
      '',
    ])
    expect((await terminal(app)('send', 'orders.place', '-vv')).stderr).toContain('commands.test.ts')
    expect(json((await terminal(app)('send', 'orders.place', '--json')).stderr)).toEqual({
      error: {
        code: 'VALIDATION_FAILED',
        message: 'orders.place has a bad field',
        fields: { 'items[0].quantity': ['must be at least 1'] },
      },
    })
  })

  it.each([
    [['failed', 'show'], 'ID is missing: obverse failed show ID'],
    [['trace', 'a', 'b'], '"b" is one word too many: obverse trace MESSAGE_ID'],
    [['consume', 'mial'], 'orders has no channel "mial". Did you mean mail?'],
    [['channels', 'peek', 'nope'], 'It has orders_events, mail.'],
    [['projections', 'rebuild', 'order-lst'], 'Did you mean order-list?'],
    [['projections', 'switch', 'totals', 'two'], 'GENERATION is "two"; give a whole number from 1'],
    [['send', 'orders.plce'], 'Did you mean orders.place?'],
    [['send', 'orders.get'], 'orders.get is a query. Use obverse ask'],
    [['ask', 'orders.place'], 'orders.place is a command. Use obverse send'],
    [['send', 'order.created'], 'order.created is an event.'],
    [['send', 'orders.place', '{oops'], '"{oops" is not JSON'],
    [['failed', 'show', 'x'], 'The id is "x"'],
    [['failed', 'retry'], 'Give ids, or --all'],
    [['failed', 'retry', '--all', '7'], 'Give ids, or --all'],
    [['failed', 'retry', '--channel', 'mail'], 'Give ids, or --all'],
    [['failed', 'edit', '7'], 'Give the new message by --body FILE'],
    [['channels', 'put', 'mail'], 'Give the message either as a word or by --raw FILE'],
    [['channels', 'put', 'mail', '--raw', 'no/such/file'], 'no/such/file cannot be read'],
    [['reset'], 'give --yes'],
  ])('that cannot be understood says so and ends with 2: %j', async (argv, message) => {
    const { app, scene } = handMade()
    const { code, stderr } = await terminal(app)(...argv)
    expect(stderr).toContain(message)
    expect(code).toBe(2)
    expect(scene.calls.filter(([name]) => name !== 'stop')).toEqual([])
  })

  it('prints help for itself without an application', async () => {
    const failing = { ...handMade().app, describe: () => expect.unreachable() }
    for (const argv of [['--help'], ['help', 'consume'], ['failed', '--help'], ['channels', 'put', '--help']]) {
      const { code, stdout } = await terminal(failing, { columns: 80 })(...argv)
      expect(code).toBe(0)
      expect(stdout).toContain('Usage')
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    }
    expect((await terminal(failing)('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('consume', () => {
  it('says that it started, where it listens and which events it handles', async () => {
    const { stdout } = await terminal(handMade().app)('consume', 'mail', 'orders_events', '--limit', '3')
    expect(stdout.split('\n').slice(0, 6)).toEqual([
      'orders: consumer started',
      '  listening on  mail, orders_events',
      '  events        order.created',
      '  commands      mail.send',
      '  handlers      mail.send, mail-on-created, order-list',
      '  until         3 messages',
    ])
  })

  it('hands its limits on, in the units of the application', async () => {
    const { app, scene } = handMade()
    const limits = ['--limit', '3', '--failure-limit', '2', '--time-limit', '60s', '--memory-limit', '200MB']
    await terminal(app)('consume', 'mail', ...limits, '--stop-when-empty', '--concurrency', '4')
    expect(scene.calls.find(([name]) => name === 'consume')).toEqual([
      'consume',
      ['mail'],
      { limit: 3, failureLimit: 2, timeLimit: 60_000, memoryLimit: 209_715_200, stopWhenEmpty: true, concurrency: 4 },
    ])
  })

  it('shows the way of a message with -vv, and why it stopped', async () => {
    const { app, scene } = handMade()
    const message = { type: 'order.created', messageId: 'm1', channel: 'mail', handler: 'mail-on-created' }
    scene.steps = [
      { step: 'received', ...message, redelivered: false },
      { step: 'sending', type: 'mail.send', messageId: 'm2', channel: 'mail' },
      { step: 'handled', ...message, ms: 4, outcome: 'committed' },
    ]
    const plain = await terminal(app)('consume', 'mail', '--limit', '3')
    expect(plain.stdout).toContain('\nProcessed event: order.created\n')
    const { stdout } = await terminal(app)('consume', 'mail', '--limit', '3', '-vv')
    const order = [
      'received',
      'sending mail.send with mail sender',
      'handled by',
      'handled successfully',
      'maximum count of 3',
    ]
    const places = order.map((text) => stdout.indexOf(text))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(places).not.toContain(-1)
  })

  it.each([
    ['limit', 0, 'stopped due to maximum count of 3'],
    ['failure-limit', 4, 'stopped due to failure limit of 2'],
    ['time-limit', 0, 'stopped due to time limit of 1 min'],
    ['memory-limit', 5, 'stopped due to memory limit of 200 MB'],
    ['empty', 0, 'stopped due to nothing being left to do'],
    ['stopped', 0, 'stopped due to the application being stopped'],
  ] as const)('ends by %s with %d', async (reason, code, text) => {
    const { app, scene } = handMade()
    scene.consumption = { handled: 3, failed: 2, reason }
    const limits = ['--limit', '3', '--failure-limit', '2', '--time-limit', '60s', '--memory-limit', '200MB']
    const ended = await terminal(app)('consume', 'mail', ...limits)
    expect(ended.code).toBe(code)
    expect(ended.stdout).toContain(`${text} (3 messages handled, 2 failed attempts)`)
  })

  it('drains on a signal and ends with 0', async () => {
    const { app, scene } = handMade()
    scene.consumption = { handled: 0, failed: 0, reason: 'signal' }
    const ended = await terminal(app, { signals: ['SIGTERM'] })('consume', 'mail')
    expect(ended.code).toBe(0)
    expect(ended.stdout).toContain('stopped due to SIGTERM')
  })

  it('ends at once on a second signal, with its number', async () => {
    const { app, scene } = handMade()
    scene.consumption = { handled: 0, failed: 0, reason: 'signal' }
    expect((await terminal(app, { signals: ['SIGTERM', 'SIGTERM'] })('consume', 'mail')).code).toBe(143)
    expect((await terminal(app, { signals: ['SIGINT', 'SIGINT'] })('consume', 'mail')).code).toBe(130)
  })

  it('stops when nobody reads its output any more', async () => {
    const { app, scene } = handMade()
    scene.consumption = { handled: 0, failed: 0, reason: 'signal' }
    const { code, stdout } = await terminal(app, { closed: AbortSignal.abort() })('consume', 'mail')
    expect(code).toBe(0)
    expect(stdout).toContain('stopped due to a closed output')
  })
})

describe('dead letters', () => {
  it('are one array with --json, none too', async () => {
    const { app, scene } = handMade()
    expect((await terminal(app)('failed', 'list', '--json')).stdout).toBe('[]\n')
    scene.letters.push(letter(7), letter(12))
    const { stdout } = await terminal(app)('failed', 'list', '--json')
    expect(json(stdout)).toEqual(scene.letters)
    expect(stdout.trim().split('\n')).toHaveLength(1)
  })

  it('say when nothing is named as their handler any more', async () => {
    const { app, scene } = handMade()
    scene.letters.push(letter(7), letter(8, { handler: 'order-list' }), letter(9, { handler: null }))
    const gone = /nothing here is named/
    expect((await terminal(app)('failed', 'list')).stdout).not.toMatch(gone)
    scene.letters.push(letter(12, { handler: 'mail-on-order' }), letter(13, { handler: 'orders.place' }))
    const { stdout } = await terminal(app)('failed', 'list')
    expect(stdout).toContain('nothing here is named mail-on-order: renamed? name it again; removed? skip it')
    // it is there, but has no channel: nothing held ever goes to it
    expect(stdout.match(new RegExp(gone, 'g'))).toHaveLength(2)
  })

  it('are narrowed by every flag', async () => {
    const { app, scene } = handMade()
    const flags = [
      '--channel',
      'c',
      '--handler',
      'h',
      '--key',
      'k',
      '--code',
      'X',
      '--message',
      'm',
      '--state',
      'retry',
    ]
    await terminal(app)('failed', 'list', ...flags, '--limit', '5', '--after', '9')
    expect(scene.calls[0]).toEqual([
      'deadLetters.list',
      { channel: 'c', handler: 'h', key: 'k', code: 'X', messageId: 'm', state: 'retry', limit: 5, after: 9 },
    ])
  })

  it('say what, where, why and what waits, and how to see the next page', async () => {
    const { app, scene } = handMade()
    scene.letters.push(letter(7), letter(12))
    const { stdout } = await terminal(app, { columns: 80 })('failed', 'list', '--limit', '1')
    expect(stdout.split('\n')).toEqual([
      '  7  ✗ dead  order.created → mail-on-created  4 attempts, 2 min ago',
      `     key ${KEY}, 2 behind it`,
      '     HANDLER_FAILED  Author "U1" does not exist',
      '',
      'There may be more than these 1; the next page: the same with --after 7',
      'Decide: obverse failed show|retry|skip 7, or edit 7 --body FILE',
      '',
    ])
  })

  it('say that there are none, of these filters', async () => {
    const { stdout } = await terminal(handMade().app)('failed', 'list', '--channel', 'mail', '--code', 'X')
    expect(stdout).toContain('No dead letters with channel mail and code X.')
  })

  it('are shown whole, with the stack for -v', async () => {
    const { app, scene } = handMade()
    scene.letters.push(letter(7))
    const short = await terminal(app)('failed', 'show', '7')
    expect(short.stdout).toContain('"orderId": "x"')
    expect(short.stdout).not.toContain('at four')
    expect((await terminal(app)('failed', 'show', '7', '-v')).stdout).toContain('at four')
    expect((await terminal(app)('failed', 'show', '8')).code).toBe(1)
  })

  it('are retried by id, all that are there, and 1 says that one was not', async () => {
    const { app, scene } = handMade()
    scene.letters.push(letter(7), letter(12))
    const { code, stdout } = await terminal(app)('failed', 'retry', '7', '99', '12', '--json')
    expect(json(stdout)).toEqual({ retried: [7, 12], missing: [99] })
    expect(code).toBe(1)
  })

  it('are retried all, page by page', async () => {
    const { app, scene } = handMade()
    scene.letters.push(...Array.from({ length: 2_300 }, (_, at) => letter(at + 1, { channel: at % 2 ? 'mail' : 'x' })))
    const { code, stdout } = await terminal(app)('failed', 'retry', '--all', '--channel', 'mail')
    expect(stdout).toContain('retried 1,150 messages')
    expect(scene.letters).toHaveLength(1_150)
    expect(code).toBe(0)
    expect((await terminal(app)('failed', 'retry', '--all', '--channel', 'mail')).stdout).toContain('nothing to retry')
  })

  it('are edited and skipped', async () => {
    const { app, scene } = handMade()
    scene.letters.push(letter(7), letter(12))
    await terminal(app, { stdin: '{"a":1}\n' })('failed', 'edit', '7', '--body', '-')
    await terminal(app)('failed', 'skip', '12', '--note', 'test data')
    expect(scene.calls).toContainEqual(['edit', 7, '{"a":1}'])
    expect(scene.calls).toContainEqual(['skip', 12, 'test data'])
  })
})

describe('channels', () => {
  it('print what they hold one message a line, which put takes back as it was', async () => {
    const { app, scene } = handMade()
    const bodies = ['{"type":"order.created","id":"1"}', 'not json', 'two\nlines', '', '"x"']
    scene.queued.set('mail', bodies)
    const { stdout } = await terminal(app)('channels', 'peek', 'mail', '--json')
    expect(stdout.trimEnd().split('\n')).toHaveLength(bodies.length)
    await terminal(app, { stdin: stdout })('channels', 'put', 'orders_events', '--raw', '-', '--lines')
    expect(scene.queued.get('orders_events')).toEqual(bodies)
  })

  it('take a message from a word or a file', async () => {
    const { app, scene } = handMade()
    await terminal(app)('channels', 'put', 'mail', 'not json')
    await terminal(app, { stdin: '{\n"a": 1\n}\n' })('channels', 'put', 'mail', '--raw', '-')
    expect(scene.queued.get('mail')).toEqual(['not json', '{\n"a": 1\n}'])
  })

  it('peek leaves a terminal in peace', async () => {
    const { app, scene } = handMade()
    scene.queued.set('mail', ['\u001b[2Jgone', JSON.stringify({ type: 'x\u001b[31m', data: 'y'.repeat(500) })])
    const { stdout } = await terminal(app, { columns: 80 })('channels', 'peek', 'mail')
    expect(stdout).not.toContain('\u001b')
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })
})

describe('projections', () => {
  it('verify ends with 1 when rows differ', async () => {
    const { app, scene } = handMade()
    expect((await terminal(app)('projections', 'verify', 'totals')).code).toBe(0)
    scene.different = ['a']
    const { code, stdout } = await terminal(app)('projections', 'verify', 'totals')
    expect(code).toBe(1)
    expect(stdout).toContain('obverse projections rebuild totals')
  })

  it('rebuild shows its progress beside its result', async () => {
    const { app, scene } = handMade()
    const { stdout, stderr } = await terminal(app)('projections', 'rebuild', 'totals', '--no-switch', '--json')
    expect(json(stdout)).toMatchObject({ projection: 'totals', generation: 3, switched: false })
    expect(stderr).toContain('rebuilding totals  52 %  5,200 of 10,000  1,234/s  3.9 s left')
    expect(scene.calls).toContainEqual(['rebuild', 'totals', true])
  })

  it('run until they are told to stop', async () => {
    const { app, scene } = handMade()
    const { code } = await terminal(app, { signals: ['SIGTERM'] })('projections', 'run')
    expect(code).toBe(0)
    expect(scene.calls[0]).toEqual(['start', { relay: false, consume: false, project: true }])
  })
})

describe('the relay', () => {
  it('runs alone until it is told to stop', async () => {
    const { app, scene } = handMade()
    const { code, stdout } = await terminal(app, { signals: ['SIGINT'] })('relay')
    expect(code).toBe(0)
    expect(stdout).toContain('relay stopped due to SIGINT')
    expect(scene.calls[0]).toEqual(['start', { relay: true, consume: false, project: false }])
  })
})

describe('the log', () => {
  it('begins near its end, or where it is told, and says how to go on', async () => {
    const { app, scene } = handMade()
    scene.events = 1_000
    const last = await terminal(app)('log', 'tail', '--limit', '2', '--json')
    expect(
      last.stdout
        .trim()
        .split('\n')
        .map((line) => (json(line) as { position: number }).position),
    ).toEqual([999, 1_000])
    const first = await terminal(app)('log', 'tail', '--from', '1', '--limit', '2')
    expect(first.stdout).toContain('obverse log tail --from 3')
    expect((await terminal(app)('log', 'tail', '--from', '2000')).stdout).toContain('The log ends at 1,000')
  })

  it('is followed until a signal', async () => {
    const { app, scene } = handMade()
    scene.events = 5
    const { code, stdout } = await terminal(app, { signals: ['SIGINT'] })('log', 'tail', '--follow', '--json')
    expect(code).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(6)
  })

  it('says in words that it is empty', async () => {
    expect((await terminal(handMade().app)('log', 'tail')).stdout).toContain('The log is empty.')
  })
})

describe('one message', () => {
  const node = (id: string, state: TraceNode['state'], caused: readonly TraceNode[] = []): TraceNode => ({
    messageId: id,
    type: `type.${id}`,
    state,
    correlationId: 'a',
    causationId: null,
    at: new Date(NOW - 60_000).toISOString(),
    caused,
  })

  it('is a tree', async () => {
    const { app, scene } = handMade()
    scene.traces = [node('a', 'done', [node('b', 'logged', [node('c', 'dead')]), node('d', 'queued')])]
    const { stdout } = await terminal(app)('trace', 'c')
    expect(stdout.split('\n').filter((line) => line.includes('type.'))).toEqual([
      '✓ done  type.a  1 min ago',
      '├─ ✓ logged  type.b  1 min ago',
      '│  └─ ✗ dead  type.c  1 min ago ←',
      '└─ ○ queued  type.d  1 min ago',
    ])
  })

  it('has a status, and 1 says that it failed or is not known', async () => {
    const { app, scene } = handMade()
    expect((await terminal(app)('status', 'x')).code).toBe(1)
    expect((await terminal(app)('trace', 'x')).code).toBe(1)
    scene.traces = [node('a', 'done')]
    expect((await terminal(app)('status', 'a')).code).toBe(0)
    scene.traces = [node('a', 'dead')]
    expect((await terminal(app)('status', 'a')).code).toBe(1)
  })
})

describe('send and ask', () => {
  it('send a command with its options and say what came of it', async () => {
    const { app, scene } = handMade()
    const options = ['--idempotency-key', 'again', '--principal', 'ann', '--delay', '5s']
    const { stdout } = await terminal(app)('send', 'orders.place', '{"orderId":"x"}', ...options, '--json')
    expect(json(stdout)).toMatchObject({ state: 'done', result: { id: 'x' }, replayed: true })
    expect(scene.calls[0]).toMatchObject([
      'send',
      { type: 'orders.place', kind: 'command', data: { orderId: 'x' } },
      { idempotencyKey: 'again', principal: 'ann', delay: 5_000 },
    ])
  })

  it('wait for an asynchronous command when told to', async () => {
    const run = terminal(handMade().app, { stdin: '{"to":"ann"}' })
    expect(json((await run('send', 'mail.send', '--json')).stdout)).not.toHaveProperty('result')
    expect(json((await run('send', 'mail.send', '-', '--wait', '--json')).stdout)).toMatchObject({
      state: 'done',
      result: { mailed: true },
    })
  })

  it('ask a query, with a token', async () => {
    const { app, scene } = handMade()
    const { stdout } = await terminal(app)(
      'ask',
      'orders.get',
      '{"orderId":"x"}',
      '--after',
      'TOKEN',
      '--timeout',
      '1s',
    )
    expect(json(stdout)).toEqual({ orderId: 'x', status: 'placed' })
    expect(scene.calls[0]?.[2]).toEqual({ after: 'TOKEN', timeout: 1_000 })
  })
})

describe('setting up', () => {
  it('reset asks for --yes where nobody can be asked', async () => {
    const { app, scene } = handMade()
    expect((await terminal(app)('reset')).code).toBe(2)
    expect((await terminal(app)('reset', '--yes')).code).toBe(0)
    expect(scene.calls.filter(([name]) => name === 'reset')).toHaveLength(1)
  })

  it('migrate prints statements that can be run', async () => {
    const { stdout } = await terminal(handMade().app)('migrate', '--print')
    expect(stdout).toBe('create table a (b text);\ncreate index c on a (b);\n')
  })

  it('doctor ends with 1 when it finds an error', async () => {
    const { code, stdout } = await terminal(handMade().app)('doctor')
    expect(code).toBe(1)
    expect(stdout).toContain('→ obverse failed show 12')
    expect(stdout).toContain('1 error, 1 warning')
  })

  it('describe shows the form of each view', async () => {
    const { stdout } = await terminal(handMade().app)('describe')
    expect(stdout).toMatch(/orders +rows, searched +sqlite/)
    expect(stdout).toMatch(/day-totals +list +sqlite/)
  })

  it('describe is one object with --json', async () => {
    const { app } = handMade()
    expect(json((await terminal(app)('describe', '--json')).stdout)).toEqual(app.describe())
  })
})
