import { parseArgs } from 'node:util'
import { isServerName, type ServerName } from '../../../scripts/servers/name.ts'
import type { Scenario, StackName } from '../scenario.ts'
import { scenarios } from '../scenarios.ts'

export const USAGE = `npm run faults -- NAME… [--count N] [--canary] [--stack embedded|servers] [--json] [--seed S]
npm run faults -- --list
npm run faults -- --page

NAME is a scenario, a number of docs/faults.md, or all.

--list       names the scenarios, and what each number is shown by
--count N    faults in all, in runs of the scenario's own number, each on new stores. Default: one run
--canary     the scenario with a protection taken away: that has to be seen
--stack S    embedded: SQLite files. servers: PostgreSQL, RabbitMQ and MongoDB, started for it.
             Default: embedded, and servers for what only they have
--broker B   rabbitmq (default) or rabbitmq4, which is RabbitMQ 4 beside the one of the machine
--seed S     repeats the choices of a run, though not what the machine makes of them
--out FILE   a line of JSON for each run is added to it. Default: .faults/NAME-STACK.jsonl
--resume     goes on where the last series of the file ends, with the seed after its last
--json       a line of JSON for each scenario, in place of one for people
--page       writes the table of docs/faults.md from the files in .faults

Ends with 0 when everything was exact (with --canary: was seen), 1 when not or when it could not be run, 2 when this is not clear.`

export class UsageError extends Error {}

export interface Asked {
  readonly do: 'help' | 'list' | 'page' | 'run'
  readonly runs: readonly { readonly scenario: Scenario; readonly stack: StackName }[]
  readonly count: number | undefined
  readonly canary: boolean
  readonly json: boolean
  readonly seed: number
  readonly broker: ServerName
  readonly out: string | undefined
  readonly resume: boolean
}

/** @throws {UsageError} naming what is not clear */
export function asked(args: readonly string[]): Asked {
  const { values, positionals } = parse(args)
  const { help, list, page, canary, json, resume, out, stack, broker } = values
  const verb = help ? 'help' : list ? 'list' : page ? 'page' : 'run'
  if (verb === 'run' && positionals.length === 0) throw new UsageError('which scenario? --list names them')
  if (stack !== undefined && stack !== 'embedded' && stack !== 'servers')
    throw new UsageError(`--stack is embedded or servers, not ${stack}`)
  if (!isServerName(broker) || !broker.startsWith('rabbitmq'))
    throw new UsageError(`--broker is rabbitmq or rabbitmq4, not ${broker}`)
  if (canary && (resume || values.count !== undefined))
    throw new UsageError('--canary has a number of its own: leave --count and --resume out')
  const names = [...new Set(positionals)]
  const chosen = [...new Set(names.flatMap(found))]
  const runs = chosen.map((scenario) => ({ scenario, stack: stackOf(scenario, stack) }))
  const run = runs.filter(({ scenario, stack: on }) => has(scenario, on))
  const [impossible] = runs.filter(
    ({ scenario: { name }, stack: on }) =>
      names.includes(name) && !run.some((one) => one.scenario.name === name && one.stack === on),
  )
  if (impossible) throw new UsageError(`${impossible.scenario.name} is not for ${impossible.stack}`)
  return {
    do: verb,
    runs: run,
    count: values.count === undefined ? undefined : whole('--count', values.count),
    canary,
    json,
    seed: values.seed === undefined ? Date.now() % 1_000_000 : whole('--seed', values.seed),
    broker,
    out,
    resume,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        list: { type: 'boolean', default: false },
        page: { type: 'boolean', default: false },
        canary: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        resume: { type: 'boolean', default: false },
        count: { type: 'string' },
        stack: { type: 'string' },
        broker: { type: 'string', default: 'rabbitmq' },
        seed: { type: 'string' },
        out: { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function found(name: string): readonly Scenario[] {
  const named = scenarios.filter((scenario) => name === 'all' || scenario.name === name)
  const numbered = scenarios.filter(({ numbers }) => numbers.includes(Number(name)))
  if (named.length + numbered.length > 0) return [...named, ...numbered]
  if (/^\d+$/.test(name)) throw new UsageError(`no scenario has the number ${name}; --list says what shows it`)
  throw new UsageError(`no scenario is called ${name}; --list names them`)
}

const has = ({ stacks }: Scenario, stack: StackName) => stacks?.includes(stack) ?? true

function stackOf(scenario: Scenario, stack: StackName | undefined): StackName {
  return stack ?? (has(scenario, 'embedded') ? 'embedded' : 'servers')
}

function whole(option: string, text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number
  throw new UsageError(`${option} is a whole number, not ${text}`)
}
