// Private servers for trying things and for tests: npm run servers -- up|down|status [name…]
import { parseArgs } from 'node:util'
import { isServerName, NAMES, type ServerName, USUAL } from './servers/name.ts'
import { bringUp, line, look, type Report } from './servers/report.ts'
import { ServerSet, setFolder } from './servers/set.ts'

const USAGE = `npm run servers -- up|down|status [name…] [--install] [--set NAME] [--json]

  up       starts the servers that do not run yet, and prints where they are
  status   prints where they are
  down     ends what \`up\` started, and removes all it had

Names: ${Object.keys(NAMES).join(', ')}.
Without a name: ${USUAL.join(', ')} for up, all there are for the others.

--install   first gets what is missing from the distribution (Debian, as root)
--set NAME  a set beside the usual one; OBVERSE_SERVERS_DIR names the folder of one
--json      an array of objects instead of lines

Ends with 0 when every server that was asked for is up (down: when none is left), 1 when not, 2 when this is not clear.`

class UsageError extends Error {}

async function main(): Promise<number> {
  const { values, positionals } = readArguments()
  if (values.help) return say(USAGE, 0)
  const [verb, ...names] = positionals
  for (const name of names) if (!isServerName(name)) throw new UsageError(`no server is called ${name}`)
  const asked = names as ServerName[]
  const set = new ServerSet(setFolder(values.set))

  if (verb === 'up') {
    const reports = await bringUp(set, asked.length > 0 ? asked : USUAL, { install: values.install })
    return print(reports, values.json)
  }
  if (verb === 'status') return print(await look(set, asked), values.json)
  if (verb === 'down') {
    const ended = await set.down(asked.length > 0 ? asked : undefined)
    if (values.json) return say(JSON.stringify(ended), 0)
    return say(ended.length > 0 ? `ended ${ended.join(', ')}` : 'there was none', 0)
  }
  throw new UsageError(verb === undefined ? 'up, down or status?' : `what is ${verb}?`)
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        install: { type: 'boolean', default: false },
        set: { type: 'string', default: 'default' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function print(reports: readonly Report[], json: boolean): number {
  const code = reports.every(({ state }) => state === 'up') ? 0 : 1
  if (json) return say(JSON.stringify(reports, null, 2), code)
  return say(reports.length > 0 ? reports.map(line).join('\n') : 'none is up', code)
}

function say(text: string, code: number): number {
  console.log(text)
  return code
}

try {
  process.exitCode = await main()
} catch (error) {
  const usage = error instanceof UsageError
  console.error(usage ? `${error.message}\n\n${USAGE}` : (error as Error).message)
  process.exitCode = usage ? 2 : 1
}
