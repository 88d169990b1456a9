import { parseArgs } from 'node:util'
import { isStack, STACKS, type Stack } from '../../apps/orders/stack.ts'
import { ServerMissing } from '../../scripts/servers/missing.ts'
import type { Bound } from './bound.ts'
import { BOUNDS } from './bounds.ts'
import { Stacks } from './stacks.ts'

const HELP = `npm run bounds -- NAME… [--count N] [--seed S] [--stack ${STACKS.join('|')}] [--json]
npm run bounds -- all
npm run bounds -- --list

Real processes, on every stack unless one is named; servers are started for it, and ended with it.
Ends in one line for each: what was found, and the figures. Exit code 1 where a bound was not kept.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    count: { type: 'string' },
    seed: { type: 'string' },
    stack: { type: 'string' },
  },
})

const number = new Intl.NumberFormat('en-US')

if (values.list) {
  for (const { name, asks, count, unit } of BOUNDS) {
    console.log(
      values.json
        ? JSON.stringify({ name, asks, count, unit })
        : `${name.padEnd(12)}${asks} (${number.format(count)} ${unit})`,
    )
  }
} else if (values.help || positionals.length === 0) console.log(HELP)
else process.exitCode = await runAll()

async function runAll(): Promise<number> {
  const chosen = positionals[0] === 'all' ? BOUNDS : BOUNDS.filter(({ name }) => positionals.includes(name))
  const unknown = positionals.filter((name) => name !== 'all' && !BOUNDS.some((bound) => bound.name === name))
  const wrong =
    unknown.length > 0
      ? `There is no bound ${unknown.join(', ')}; npm run bounds -- --list names them`
      : ([...wrongNumber('count'), ...wrongNumber('seed')][0] ??
        (values.stack === undefined || isStack(values.stack)
          ? undefined
          : `--stack is ${JSON.stringify(values.stack)}; give ${STACKS.join(' or ')}`))
  if (wrong !== undefined) {
    console.error(wrong)
    return 2
  }
  let kept = true
  for (const bound of chosen) {
    for (const stack of bound.stacks) {
      if (values.stack === undefined || values.stack === stack) kept = (await run(bound, stack)) && kept
    }
  }
  return kept ? 0 : 1
}

async function run(bound: Bound, stack: Stack): Promise<boolean> {
  const { name, count: usual, unit } = bound
  const count = Number(values.count ?? usual)
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const stacks = new Stacks()
  try {
    const { findings, figures } = await bound.run(stacks, { stack, count, seed })
    const ok = findings.length === 0
    if (values.json) console.log(JSON.stringify({ name, stack, ok, count, seed, ...figures, findings }))
    else {
      for (const finding of findings) console.log(`  ${finding}`)
      const told = Object.entries(figures).map(
        ([what, value]) => `${what} ${typeof value === 'number' ? number.format(value) : value}`,
      )
      console.log(
        `${name} (${stack}): ${ok ? 'kept' : 'NOT KEPT'}, ${number.format(count)} ${unit}, ${told.join(', ')}, seed ${seed}`,
      )
    }
    return ok
  } catch (error) {
    if (!(error instanceof ServerMissing)) throw error
    console.log(
      values.json
        ? JSON.stringify({ name, stack, ok: null, why: error.message })
        : `${name} (${stack}): not run: ${error.message}`,
    )
    return true
  } finally {
    await stacks.end()
  }
}

function wrongNumber(name: 'count' | 'seed'): readonly string[] {
  const text = values[name]
  return text === undefined || /^[1-9]\d{0,8}$/.test(text)
    ? []
    : [`--${name} is ${JSON.stringify(text)}; give a whole number from 1`]
}
