// Fault runs in the foreground: npm run faults -- NAME
import setup from '../servers/global.ts'
import { startOwn } from '../servers.ts'
import { type Asked, asked, USAGE, UsageError } from './command/asked.ts'
import { listing, listText } from './command/list.ts'
import { meter } from './command/meter.ts'
import { writePage } from './command/page.ts'
import { fileOf, isGood, lineOf, type Outcome, outcomeOf } from './command/result.ts'
import { OtherVersions, series, watch } from './command/series.ts'
import { embedded } from './embedded/stack.ts'
import type { Scenario, StackName } from './scenario.ts'
import { type ServersStack, serversFor } from './servers/homes.ts'

type Stacks = Readonly<Record<StackName, ServersStack>>

async function main(): Promise<number> {
  const what = asked(process.argv.slice(2))
  if (what.do === 'help') return say(USAGE, 0)
  if (what.do === 'list') return say(what.json ? JSON.stringify(listing()) : listText(), 0)
  if (what.do === 'page') return say(`wrote ${writePage()}`, 0)
  const end = await setup()
  let signalled = false
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      signalled = true
      void end().finally(() => process.exit(code))
    })
  }
  try {
    const stacks = await open(what)
    const outcomes: Outcome[] = []
    for (const { scenario, stack } of what.runs) outcomes.push(...(await answer(scenario, stacks[stack], what)))
    if (outcomes.length === 0) throw new UsageError('none of these has a canary on this stack')
    return outcomes.every(isGood) ? 0 : 1
  } finally {
    if (!signalled) await end()
  }
}

/** Brings up what these runs need, and nothing else. */
async function open({ runs, broker }: Asked): Promise<Stacks> {
  const here: ServersStack = { stack: embedded, lacking: () => undefined }
  const there = runs.filter(({ stack }) => stack === 'servers').map(({ scenario }) => scenario)
  return { embedded: here, servers: there.length > 0 ? await serversFor(there, startOwn, broker) : here }
}

async function answer(scenario: Scenario, { stack, lacking }: ServersStack, what: Asked): Promise<readonly Outcome[]> {
  const { name, numbers } = scenario
  const tell = (outcome: Outcome): Outcome => {
    console.log(what.json ? JSON.stringify(outcome) : lineOf(outcome))
    if ('objections' in outcome) for (const text of outcome.objections) console.error(`  ${text}`)
    return outcome
  }
  const lack = lacking(scenario)
  if (lack !== undefined) return [tell({ name, stack: stack.name, numbers, notRun: lack })]
  const { seed, resume, count, out } = what
  const file = out ?? fileOf(scenario, stack.name)
  const common = { stack, seed, resume, count, file }
  if (!what.canary) {
    const progress = meter(name, count ?? scenario.count)
    const results = await series(scenario, { ...common, onProgress: progress.tell }).finally(progress.end)
    return [tell(outcomeOf(scenario, stack.name, results))]
  }
  const outcomes: Outcome[] = []
  for (const canary of scenario.canaries ?? []) {
    if (!(canary.stacks?.includes(stack.name) ?? true)) continue
    const progress = meter(`${name} without ${canary.without.join(', ')}`, canary.count)
    const result = await watch(scenario, canary, { ...common, onProgress: progress.tell }).finally(progress.end)
    outcomes.push(tell(outcomeOf(scenario, stack.name, [result])))
  }
  return outcomes
}

function say(text: string, code: number): number {
  console.log(text)
  return code
}

try {
  process.exitCode = await main()
} catch (error) {
  const usage = error instanceof UsageError || error instanceof OtherVersions
  console.error(usage ? (error as Error).message : error)
  process.exitCode = usage ? 2 : 1
}
