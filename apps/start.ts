import { parseArgs } from 'node:util'
import { isRole, ROLES, type Role } from './orders/roles.ts'
import { isStack, STACKS, type Stack } from './orders/stack.ts'

// npm start -- [APP] [options]: one process of a reference application.

const APPS = {
  orders: async () => (await import('./orders/serve.ts')).serve,
}
const NAMES = Object.keys(APPS) as (keyof typeof APPS)[]

const HELP = `Runs one of the reference applications.

  npm start -- [APP] [options]

  APP          ${NAMES.join(', ')} (default: orders)

  --port N     port of the API, 0 for any free one   (PORT, default 8080)
  --host NAME  address it listens on                 (HOST, default localhost)
  --on STACK   where it keeps things                 (ORDERS_ON, default embedded)
                 embedded  one data file, nothing to install
                 servers   PostgreSQL, RabbitMQ and MongoDB at DATABASE_URL, AMQP_URL and MONGODB_URL;
                           those that are not set: what npm run servers has started
  --data DIR   folder of the data file               (DATA_DIR, default .data/APP)
  --role ROLE  what this process does                (default all)
                 all       API, relay and consumer
                 api       answers requests; what it accepts waits for a consumer
                 relay     stamps and publishes
                 consumer  keeps the read model up to date
  --help       this text

Flags win over the environment. Any number of processes may share one data folder, or the same servers.
Exit codes: 0 stopped by a signal, 1 could not start, 2 the command line is wrong.
`

class Usage extends Error {}

interface Wanted {
  readonly name: keyof typeof APPS
  readonly role: Role
  readonly on: Stack
  readonly port: number
  readonly host: string
  readonly data?: string
}

/** @throws {Usage} saying what is wrong and what would be right */
function wanted(args: readonly string[], env: NodeJS.ProcessEnv): Wanted | 'help' {
  const text = { type: 'string' } as const
  const { values, positionals } = parse(() =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { on: text, port: text, host: text, data: text, role: text, help: { type: 'boolean', short: 'h' } },
    }),
  )
  if (values.help) return 'help'
  const [name = 'orders', ...more] = positionals
  if (more.length > 0) throw new Usage(`One application at a time; ${more.join(' ')} is too much.`)
  if (!isApp(name)) throw new Usage(`There is no application ${name}; there is ${NAMES.join(', ')}.`)
  const role = values.role ?? 'all'
  if (!isRole(role)) throw new Usage(`There is no role ${role}; there is ${ROLES.join(', ')}.`)
  const on = values.on ?? (env.ORDERS_ON || 'embedded')
  if (!isStack(on)) throw new Usage(`It does not run on ${JSON.stringify(on)}; give ${STACKS.join(' or ')}.`)
  if (on === 'servers' && values.data !== undefined)
    throw new Usage('On servers there is no data folder; leave out --data.')
  const data = values.data ?? env.DATA_DIR
  return {
    name,
    role,
    on,
    port: portOf(values.port ?? env.PORT ?? '8080'),
    host: values.host ?? env.HOST ?? 'localhost',
    ...(data && { data }),
  }
}

function isApp(name: string): name is keyof typeof APPS {
  return Object.hasOwn(APPS, name)
}

function portOf(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new Usage(`The port ${JSON.stringify(text)} is not a number from 0 to 65535.`)
}

function parse<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new Usage((error as Error).message)
  }
}

async function start(): Promise<number> {
  try {
    const choice = wanted(process.argv.slice(2), process.env)
    if (choice === 'help') {
      console.log(HELP)
      return 0
    }
    const { name, ...options } = choice
    const serve = await APPS[name]()
    return await serve(options)
  } catch (error) {
    if (!(error instanceof Usage)) throw error
    console.error(`${error.message}\nnpm start -- --help tells more.`)
    return 2
  }
}

process.exitCode = await start()
