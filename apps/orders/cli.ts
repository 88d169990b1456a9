import { parseArgs } from 'node:util'
import { type Command, Failed, type Values } from './cli/command.ts'
import { createOrderCommand } from './cli/create-order.ts'
import { getOrdersCommand } from './cli/get-orders.ts'
import { healthCommand } from './cli/health.ts'
import { queueCommand } from './cli/queue.ts'

// npm run orders -- COMMAND: the application's own command line. All but `queue` talk to a running API.

const COMMANDS: Readonly<Record<string, Command>> = {
  health: healthCommand,
  'create-order': createOrderCommand,
  'get-orders': getOrdersCommand,
  queue: queueCommand,
}

const COMMON = {
  url: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

function help(): string {
  const lines = Object.entries(COMMANDS).flatMap(([name, { says, usage }]) => [
    `  ${name.padEnd(14)}${says}`,
    ...usage.map((line) => `  ${''.padEnd(14)}${line}`),
  ])
  return [
    'The command line of the orders application.',
    '',
    '  npm run orders -- COMMAND [options]',
    '',
    ...lines,
    '',
    '  --url URL     where the API is (default http://localhost:PORT, PORT or 8080)',
    '  --json        for programs',
    '',
    'Exit codes: 0 done, 1 refused or failed, 2 the command line is wrong, 3 the API or the store is not reachable.',
  ].join('\n')
}

async function run(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(help())
    return name === undefined ? 2 : 0
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) throw new Failed(2, `There is no command ${name}; there is ${Object.keys(COMMANDS).join(', ')}.`)
  const { values, positionals } = parse(rest, command)
  if (values.help) {
    console.log(help())
    return 0
  }
  if (positionals.length > 0 && !command.words?.includes(positionals.join(' '))) {
    throw new Failed(2, `${name} does not know what ${positionals.join(' ')} is.`)
  }
  return command.run(values)
}

function parse(args: readonly string[], command: Command): { values: Values; positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: { ...COMMON, ...command.options } })
  } catch (error) {
    throw new Failed(2, (error as Error).message)
  }
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof Failed)) throw error
  console.error(error.message)
  process.exitCode = error.exitCode
}
