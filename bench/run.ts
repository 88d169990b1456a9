import { rmSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { ServerMissing } from '../scripts/servers/missing.ts'
import { compare } from './compare.ts'
import { benchFolder, fsyncMicroseconds } from './disk.ts'
import type { Question, Sides, Unanswerable } from './question.ts'
import { QUESTIONS } from './questions.ts'
import { endServers } from './servers.ts'
import { reachText, told } from './tell.ts'

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
    for (const { name, asks, reach } of QUESTIONS)
      console.log(`${name.padEnd(20)} ${asks}\n${' '.repeat(21)}${reachText(reach)}`)
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
    else for (const line of told(result, question)) console.log(`  ${line}`)
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
