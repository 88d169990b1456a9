import { rmSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { ServerMissing } from '../scripts/servers/missing.ts'
import { appendPostgres1, appendPostgres10, appendPostgres100 } from './append-postgres.ts'
import { appendSqlite1, appendSqlite64 } from './append-sqlite.ts'
import { type Comparison, compare } from './compare.ts'
import { decideMemory } from './decide-memory.ts'
import { benchFolder, fsyncMicroseconds } from './disk.ts'
import { postPostgres, postPostgresTables } from './post-postgres.ts'
import { postSqlite } from './post-sqlite.ts'
import { projectMongodb, projectPostgres } from './project.ts'
import type { Question, Sides, Unanswerable } from './question.ts'
import { consumeRabbitmq, relayRabbitmq } from './rabbitmq.ts'
import { send } from './send.ts'
import { endServers } from './servers.ts'
import { visibleServers } from './visible-servers.ts'

const QUESTIONS: readonly Question[] = [
  send,
  decideMemory,
  appendSqlite1,
  appendSqlite64,
  postSqlite,
  appendPostgres1,
  appendPostgres10,
  appendPostgres100,
  relayRabbitmq,
  consumeRabbitmq,
  projectMongodb,
  projectPostgres,
  postPostgres,
  postPostgresTables,
  visibleServers,
]

const HELP = `npm run bench -- NAME [--json] [--peers] [--runs N]
npm run bench -- all
npm run bench -- --list

Ratios above 1 = ours is the better; median of interleaved runs. Servers are started for it, and ended with it.
--peers also measures other libraries, installed into .bench/peers for it.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    runs: { type: 'string', default: '7' },
  },
})

if (values.list) {
  if (values.json)
    console.log(JSON.stringify(QUESTIONS.map(({ name, asks, unit, reach }) => ({ name, asks, unit, reach }))))
  else
    for (const { name, asks, reach } of QUESTIONS) console.log(`${name.padEnd(21)}≥ ${String(reach).padEnd(5)} ${asks}`)
} else if (values.help || positionals.length === 0) {
  console.log(HELP)
} else {
  const chosen = positionals[0] === 'all' ? QUESTIONS : QUESTIONS.filter(({ name }) => positionals.includes(name))
  const unknown = positionals.filter((name) => name !== 'all' && !QUESTIONS.some((question) => question.name === name))
  if (unknown.length > 0) {
    console.error(`There is no bench ${unknown.join(', ')}; npm run bench -- --list names them`)
    process.exitCode = 2
  } else {
    try {
      for (const question of chosen) await answer(question)
    } finally {
      await endServers()
    }
  }
}

async function answer(question: Question): Promise<void> {
  const folder = benchFolder(question.name)
  const fsync = fsyncMicroseconds(folder)
  const processor = cpus()
  if (!values.json) {
    console.log(`\n${question.name}: ${question.asks}`)
    console.log(`  fsync ${fsync} µs, ${processor.length} × ${processor[0]?.model.trim()}, Node ${process.version}`)
  }
  const prepared = await prepare(question, folder)
  if ('why' in prepared) {
    const { why } = prepared
    console.log(values.json ? JSON.stringify({ name: question.name, ratio: null, why }) : `  not run: ${why}`)
    return
  }
  try {
    const options = { runs: Number(values.runs), peers: values.peers, budget: 32_000 }
    const result = await compare(question, prepared, options)
    if (values.json) console.log(JSON.stringify({ ...result, fsyncUs: fsync }))
    else tell(result, question.reach)
  } finally {
    await prepared.close?.()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where a server cannot be had the question is not answered; `ServerMissing` says what brings it. */
async function prepare(question: Question, folder: string): Promise<Sides | Unanswerable> {
  try {
    return await question.prepare(folder)
  } catch (error) {
    if (error instanceof ServerMissing) return { why: error.message }
    throw error
  }
}

function tell({ ours, twin, ratio, spread, unit, runs, peers, percentiles }: Comparison, reach: number): void {
  const verdict = ratio >= reach ? 'reached' : 'short of it'
  const sides = percentiles ? Object.entries(percentiles) : [['', { ours, twin }] as const]
  for (const [name, side] of sides) {
    const [mine, other] = [side.ours.toLocaleString('en'), side.twin.toLocaleString('en')]
    console.log(`  ${name}${name && ': '}ours ${mine} ${unit}, twin ${other} ${unit}`)
  }
  console.log(`  ratio ${ratio} ± ${Math.round(spread * 100)} % over ${runs} pairs; meant ≥ ${reach}: ${verdict}`)
  for (const [name, value] of Object.entries(peers)) {
    console.log(`  peer ${name}: ${value.toLocaleString('en')} ${unit}`)
  }
}
