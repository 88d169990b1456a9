import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Comparison } from '../compare.ts'
import type { Question } from '../question.ts'
import type { Machine } from './machine.ts'

/** One line of what `--json` prints and a report is made of: the answer to a question, or why there is none. */
export type Result = Answered | Unanswered

export interface Answered extends Comparison {
  readonly why?: undefined
  /** ISO date. */
  readonly on: string
  readonly machine: Machine
}

export interface Unanswered {
  readonly name: string
  readonly ratio: null
  readonly why: string
}

/** The results that are kept, one for each question. @throws when a line of the file is not one */
export function readResults(file: string): Result[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, at) => (line === '' ? [] : [parsed(line, `${file}:${at + 1}`)]))
}

function parsed(line: string, place: string): Result {
  try {
    return JSON.parse(line) as Result
  } catch (cause) {
    throw new Error(`${place} is not a result: delete the line, and measure its question again`, { cause })
  }
}

/** Keeps `result` instead of the one before to the same question. What was measured once is not given up for a `why`. */
export function keepResult(file: string, result: Result, questions: readonly Pick<Question, 'name'>[]): void {
  const kept = new Map(readResults(file).map((one) => [one.name, one]))
  const before = kept.get(result.name)
  if (result.why === undefined || before === undefined || before.why !== undefined) kept.set(result.name, result)
  const inOrder = questions.flatMap(({ name }) => kept.get(name) ?? [])
  writeFileSync(file, inOrder.map((one) => `${JSON.stringify(one)}\n`).join(''))
}
