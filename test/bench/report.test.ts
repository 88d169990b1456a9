import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Asked, performancePage } from '../../bench/report/page.ts'
import { ratioPlot } from '../../bench/report/ratio-plot.ts'
import { type Answered, keepResult, type Result, readResults } from '../../bench/report/result.ts'

const questions: Asked[] = [
  { name: 'append', asks: 'append of one event', unit: 'appends/s', reach: 0.85 },
  { name: 'relay', asks: 'relay to a queue', unit: 'messages/s', reach: 0.6 },
  { name: 'visible', asks: 'POST until GET', unit: 'ms', reach: { p50: 5, p99: 25 } },
  { name: 'get', asks: 'GET of one document', unit: 'requests/s', reach: 0.85 },
]
const machine = { cores: 2, processor: 'Any', memory: 24, system: 'linux', node: 'v24.21.0', fsync: 250, servers: [] }
const append: Answered = {
  name: 'append',
  ours: 4_178,
  twin: 4_772,
  ratio: 0.875,
  spread: 0.04,
  unit: 'appends/s',
  runs: 7,
  peers: { emmett: 900 },
  on: '2026-01-31',
  machine,
}
const relay: Answered = { ...append, name: 'relay', ratio: 0.55, unit: 'messages/s', peers: {} }
const visible: Answered = {
  ...append,
  name: 'visible',
  ours: 1.213,
  twin: null,
  ratio: null,
  unit: 'ms',
  peers: {},
  parts: { p50: { ours: 1.213, twin: null, ratio: null }, p99: { ours: 7.867, twin: null, ratio: null } },
  machine: { ...machine, servers: ['PostgreSQL 15.9'] },
}
const get: Result = { name: 'get', ratio: null, why: 'only a real mongod would tell' }

describe('the page of performance', () => {
  const beside = { plot: 'plot.svg', results: 'results.jsonl' }
  const page = (results: readonly Result[]) =>
    performancePage(questions, results, { relay: 'the broker answers late' }, beside)

  test('has a row for each answer, with its reach and whether it is reached', () => {
    expect(page([append, relay, visible])).toContain(
      '| append | 4,178 appends/s | 4,772 appends/s | 0.88 | 4 % | ≥ 0.85 | reached |',
    )
    expect(page([append, relay, visible])).toContain('| 0.55 | 4 % | ≥ 0.6 | **short** |')
    expect(page([append])).not.toContain('**short**')
  })

  test('judges what has no twin by its times', () => {
    const row = '| visible | 1.21 ms | – | – | 4 % | p50 ≤ 5 ms, p99 ≤ 25 ms |'
    const late = { ...visible, parts: { ...visible.parts, p99: { ours: 25.1, twin: null, ratio: null } } }
    expect(page([visible])).toContain(`${row} reached |`)
    expect(page([late])).toContain(`${row} **short** |`)
    expect(page([visible])).toContain('| visible | p99 | 7.87 ms | – | – |')
  })

  test('says of what is short where the time goes, or that nobody has looked', () => {
    expect(page([relay])).toContain('- **relay**: the broker answers late')
    expect(page([{ ...append, ratio: 0.8 }])).toContain('- **append**: not profiled yet.')
    expect(page([append])).not.toContain('## Short of their reach')
  })

  test('names what was not run, and why', () => {
    expect(page([append, get])).toContain('- **get**: only a real mongod would tell')
    expect(page([append, get])).toContain('- **relay**: not measured yet')
  })

  test('shows what other libraries reach', () => {
    expect(page([append])).toContain('| append | emmett | 900 |')
    expect(page([relay])).not.toContain('## Other libraries')
  })

  test('tells of each machine once, with all servers', () => {
    const told = page([append, relay, visible])
    expect(told.match(/2 cores/g)).toHaveLength(1)
    expect(told).toContain('2026-01-31: 2 cores (Any), 24 GiB of memory, linux, Node 24.21.0, PostgreSQL 15.9')
    expect(page([append, { ...relay, on: '2026-02-01' }]).match(/2 cores/g)).toHaveLength(2)
  })
})

describe('the plot of ratios', () => {
  const plot = (ratio: number) => ratioPlot([{ name: 'append', ratio, spread: 0.1, reach: 0.85 }])
  const place = (svg: string, mark: RegExp) => Number(mark.exec(svg)?.[1])
  const ratioAt = /<circle [^>]*cx="([\d.]+)"/
  const reachAt = /class="reach" x1="([\d.]+)"/

  test('marks the reach, and puts a ratio on the side of it where it belongs', () => {
    expect(place(plot(0.875), ratioAt)).toBeGreaterThan(place(plot(0.875), reachAt))
    expect(place(plot(0.8), ratioAt)).toBeLessThan(place(plot(0.8), reachAt))
    expect(place(plot(0.85), ratioAt)).toBe(place(plot(0.85), reachAt))
  })

  test('shows what is short by more than a colour', () => {
    expect(plot(0.9)).toContain('<circle class="good"')
    expect(plot(0.8)).toContain('<circle class="short"')
    expect(plot(0.8)).toContain('circle.short { fill: var(--paper); }')
  })

  test('is as wide as what it has to show', () => {
    expect(plot(0.9)).not.toContain('>16×<')
    expect(plot(9)).toContain('>16×<')
    expect(plot(0.1)).toContain('>1/16×<')
  })

  test('keeps words as text, for light and dark', () => {
    expect(plot(0.9)).toMatch(/<text [^>]*>append<\/text>/)
    expect(plot(0.9)).toContain('prefers-color-scheme: dark')
  })
})

describe('kept results', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'obverse-report-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const file = () => join(folder, 'results.jsonl')
  const keep = (...results: Result[]) => {
    for (const result of results) keepResult(file(), result, questions)
  }

  test('are read as they were written, one line for each question, in the order of the questions', () => {
    keep(relay, append)
    keep({ ...relay, ratio: 0.7 })
    expect(readResults(file())).toEqual([append, { ...relay, ratio: 0.7 }])
    expect(readFileSync(file(), 'utf8').split('\n')).toHaveLength(3)
  })

  test('are not given up because a server is missing today', () => {
    keep({ ...get, name: 'append' }, append, { ...get, name: 'append' })
    expect(readResults(file())).toEqual([append])
  })

  test('name the line that is none', () => {
    keep(append)
    writeFileSync(file(), `${readFileSync(file(), 'utf8')}{"name":\n`)
    expect(() => readResults(file())).toThrow(`${file()}:2 is not a result`)
  })
})
