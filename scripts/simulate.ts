// npm run simulate: the application of test/simulation under many seeds.
import { parseArgs } from 'node:util'
import type { Mutation } from 'obverse/testing'
import { Progress } from '../test/progress.ts'
import { catchMutations, MUTATIONS } from '../test/simulation/mutations.ts'
import { type Done, runSeeds } from '../test/simulation/pool.ts'
import { runSeed } from '../test/simulation/run.ts'

const HELP = `npm run simulate -- [--seeds N] [--from S] [--json]   N seeds from S on (1,000 from 1); ends with 1 if any fails
npm run simulate -- --seed S [--schedule]             one seed; its schedule, if it fails or is asked for
npm run simulate -- --without NAME [--seeds N]        without a protection, until a seed shows it; ends with 1 if none does
npm run simulate -- --mutations [--seeds N]           the same for each protection, as a table
npm run simulate -- --list                            names of protections

A seed is one run of several processes, in memory, in which chance decides what goes wrong: docs/guide/simulation.md`

/** Failing seeds that are told of in full. */
const SHOWN = 5

const number = new Intl.NumberFormat('en-US')

class Misuse extends Error {}

async function main(): Promise<number> {
  const values = given()
  const seeds = count('--seeds', values.seeds) ?? 1_000
  const from = count('--from', values.from) ?? 1
  const without = values.without.map(known)
  if (values.help) return say(HELP)
  if (values.list) return say(Object.keys(MUTATIONS).join('\n'))
  if (values.mutations) return table(seeds)
  const one = count('--seed', values.seed)
  if (one !== undefined) return single(one, without, values.schedule)
  if (without.length > 0) return shown(without, from, seeds)
  const progress = new Progress(`seeds from ${from}`, seeds)
  const done = await runSeeds({
    from,
    seeds,
    onProgress: ({ seeds: so, failures }) => progress.update(so, `${failures.length} failed`),
  })
  progress.end()
  if (values.json) {
    const failures = done.failures.map(({ seed, violations }) => ({ seed, violations }))
    console.log(JSON.stringify({ seeds: done.seeds, from, failed: failures.length, failures }))
  } else tell(done)
  return done.failures.length === 0 ? 0 : 1
}

function given() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string' },
        from: { type: 'string' },
        seed: { type: 'string' },
        without: { type: 'string', multiple: true, default: [] },
        json: { type: 'boolean', default: false },
        schedule: { type: 'boolean', default: false },
        mutations: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new Misuse((error as Error).message)
  }
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1) return value
  throw new Misuse(`${option} is ${JSON.stringify(text)}; give a whole number from 1`)
}

function known(name: string): Mutation {
  if (name in MUTATIONS) return name as Mutation
  throw new Misuse(`there is no protection ${JSON.stringify(name)}; --list names them`)
}

function say(text: string): number {
  console.log(text)
  return 0
}

async function single(seed: number, without: readonly Mutation[], schedule: boolean): Promise<number> {
  const report = await runSeed(seed, { without, schedule: true })
  const failed = report.violations.length > 0
  if (schedule || failed) console.log((report.schedule ?? []).join('\n'))
  const { kills, freezes, cuts, skews, forgotten } = report.faults
  console.log(
    `seed ${seed}: ${report.commands} commands, ${report.effects} effects, ${kills} kills, ${freezes} freezes, ${cuts} cuts, ` +
      `${skews} wrong clocks, ${forgotten} lost view stores, ${number.format(report.ms)} simulated ms, ${number.format(report.steps)} steps, fingerprint ${report.fingerprint}`,
  )
  for (const violation of report.violations) console.log(`  violated: ${violation}`)
  return failed ? 1 : 0
}

async function shown(without: readonly Mutation[], from: number, seeds: number): Promise<number> {
  const caught = await catchMutations(without, seeds, from)
  console.log(
    caught
      ? `without ${without.join(', ')}: seed ${caught.seed} shows it: ${caught.violation}`
      : `without ${without.join(', ')}: none of ${number.format(seeds)} seeds shows it`,
  )
  return caught ? 0 : 1
}

async function table(seeds: number): Promise<number> {
  let missed = 0
  console.log('| without | seeds | what is seen then |\n|---|--:|---|')
  for (const name of Object.keys(MUTATIONS) as (keyof typeof MUTATIONS)[]) {
    const caught = await catchMutations([name], seeds)
    if (!caught) missed += 1
    console.log(`| \`${name}\` | ${caught?.seed ?? `more than ${seeds}`} | ${caught?.violation.split('\n')[0] ?? ''} |`)
  }
  return missed === 0 ? 0 : 1
}

function tell({ seeds, commands, steps, failures }: Done): void {
  for (const { seed, violations } of failures.slice(0, SHOWN)) {
    console.log(`seed ${seed} failed: npm run simulate -- --seed ${seed}`)
    for (const violation of violations.slice(0, SHOWN)) console.log(`  violated: ${violation}`)
  }
  console.log(
    `${number.format(seeds)} seeds, ${number.format(commands)} commands, ${number.format(steps)} steps: ${number.format(failures.length)} failed`,
  )
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof Misuse)) throw error
  console.error(`simulate: ${error.message}`)
  process.exitCode = 2
}
