import { parseArgs } from 'node:util'
import { answer } from './answer.ts'
import type { Question } from './question.ts'
import { QUESTIONS } from './questions.ts'
import { keep, writeReport } from './report/write.ts'
import { endServers } from './servers.ts'
import { reachText, told } from './tell.ts'

const HELP = `npm run bench -- NAME… [--json] [--peers] [--runs N] [--report]
npm run bench -- all --report
npm run bench -- --report
npm run bench -- --list

Ratios above 1 = ours is the better; median of interleaved runs. Servers are started for it, and ended with it.
--peers   also measures other libraries, installed into .bench/peers for it
--runs N  pairs of runs, 7 by default; a question that takes longer than half a minute has fewer
--report  keeps the results in docs/performance.jsonl, and writes docs/performance.md from all that are there;
          without a name nothing is measured anew
--json    a line for each question`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    runs: { type: 'string', default: '7' },
  },
})
const runs = Number(values.runs)
const unknown = positionals.filter((name) => name !== 'all' && !QUESTIONS.some((question) => question.name === name))
const chosen = positionals.includes('all') ? QUESTIONS : QUESTIONS.filter(({ name }) => positionals.includes(name))

if (values.list) list()
else if (values.help || (chosen.length === 0 && unknown.length === 0 && !values.report)) console.log(HELP)
else if (unknown.length > 0) refuse(`There is no bench ${unknown.join(', ')}; npm run bench -- --list names them`)
else if (!Number.isInteger(runs) || runs < 1) refuse(`--runs is ${values.runs}; give a whole number from 1`)
else {
  try {
    for (const [at, question] of chosen.entries()) await show(question, at)
  } finally {
    await endServers()
  }
  if (values.report) report()
}

/** One that fails leaves the others their turn. */
async function show(question: Question, at: number): Promise<void> {
  const { name, asks } = question
  if (!values.json) console.log(`\n${at + 1} of ${chosen.length}, ${name}: ${asks}`)
  try {
    const result = await answer(question, { runs, peers: values.peers, budget: 32_000 })
    if (values.report) keep(result)
    if (values.json) console.log(JSON.stringify(result))
    else if (result.why !== undefined) console.log(`  not run: ${result.why}`)
    else for (const line of told(result, question)) console.log(`  ${line}`)
  } catch (error) {
    console.error(`${name} failed:`, error)
    process.exitCode = 1
  }
}

function report(): void {
  const written = writeReport()
  if (written.length > 0) console.error(`\nwritten: ${written.join(', ')}`)
  else refuse('Nothing was measured yet; npm run bench -- all --report measures everything')
}

function list(): void {
  const known = QUESTIONS.map(({ name, asks, unit, reach }) => ({ name, asks, unit, reach }))
  if (values.json) console.log(JSON.stringify(known))
  else
    for (const { name, asks, reach } of known)
      console.log(`${name.padEnd(20)} ${asks}\n${' '.repeat(21)}${reachText(reach)}`)
}

function refuse(reason: string): void {
  console.error(reason)
  process.exitCode = 2
}
