import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { QUESTIONS } from '../questions.ts'
import { NOTES } from './notes.ts'
import { performancePage } from './page.ts'
import { type PlottedRatio, ratioPlot } from './ratio-plot.ts'
import { keepResult, type Result, readResults } from './result.ts'

const FOLDER = join(import.meta.dirname, '..', '..', 'docs')
const RESULTS = 'performance.jsonl'
const PLOT = 'performance.svg'
const PAGE = 'performance.md'

/** Keeps an answer for the next report. */
export function keep(result: Result): void {
  keepResult(join(FOLDER, RESULTS), result, QUESTIONS)
}

/** Writes the page and its plot from what is kept. Returns their names: none where nothing is. */
export function writeReport(): string[] {
  const results = readResults(join(FOLDER, RESULTS))
  if (results.length === 0) return []
  const plotted = QUESTIONS.flatMap(({ name, reach }): PlottedRatio[] => {
    const result = results.find((one) => one.name === name)
    if (!result || result.why !== undefined || result.ratio === null || typeof reach !== 'number') return []
    return [{ name, ratio: result.ratio, spread: result.spread, reach }]
  })
  writeFileSync(join(FOLDER, PLOT), ratioPlot(plotted))
  writeFileSync(join(FOLDER, PAGE), performancePage(QUESTIONS, results, NOTES, { plot: PLOT, results: RESULTS }))
  return [PAGE, PLOT].map((name) => `docs/${name}`)
}
