import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ObverseError } from 'obverse'

/** Where the servers are, as URLs with their passwords. */
export interface ServerUrls {
  readonly database: string
  readonly amqp: string
  /** Of RabbitMQ's management plugin, where that cannot be told from the URL. */
  readonly management: string | undefined
  readonly documents: string
}

/** What the URL of MongoDB means when it names no database. */
const DATABASE = 'orders'

interface Wanted {
  /** As `npm run servers` calls it. */
  readonly name: string
  readonly title: string
  readonly example: string
}

const WANTED = {
  DATABASE_URL: { name: 'postgres', title: 'PostgreSQL', example: 'postgres://user:password@localhost/orders' },
  AMQP_URL: { name: 'rabbitmq', title: 'RabbitMQ', example: 'amqp://user:password@localhost' },
  MONGODB_URL: { name: 'mongodb', title: 'MongoDB', example: 'mongodb://localhost/orders' },
} satisfies Record<string, Wanted>
type Variable = keyof typeof WANTED
const NAMES = Object.values(WANTED).map(({ name }) => name)

/**
 * The servers that the environment names; of those that it does not name, the ones that `npm run servers` of this
 * checkout runs.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` naming the variable that is missing
 */
export async function serverUrls(env: NodeJS.ProcessEnv): Promise<ServerUrls> {
  const missing = (Object.keys(WANTED) as Variable[]).filter((variable) => !env[variable])
  const running = missing.length > 0 ? await runningServers(env) : []
  const found = (variable: Variable) => running.find(({ name }) => name === WANTED[variable].name)
  const url = (variable: Variable): string => {
    const known = env[variable] || found(variable)?.url
    if (known !== undefined) return known
    const { title, example } = WANTED[variable]
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `${variable} does not say where ${title} is; set it, as ${example}, or start private servers: npm run servers -- up`,
    )
  }
  return {
    database: url('DATABASE_URL'),
    amqp: url('AMQP_URL'),
    management: env.AMQP_MANAGEMENT_URL || (env.AMQP_URL ? undefined : found('AMQP_URL')?.management),
    documents: withDatabase(url('MONGODB_URL')),
  }
}

interface Running {
  readonly name: string
  readonly state: string
  readonly url?: string
  readonly management?: string
}

/** Asked as a command, for it belongs to the repository and not to the application: elsewhere there is none. */
async function runningServers(env: NodeJS.ProcessEnv): Promise<readonly Running[]> {
  const command = join(import.meta.dirname, '../../scripts/servers.ts')
  if (!existsSync(command)) return []
  // servers for tests, which they would name, are not for orders
  const { OBVERSE_TEST_POSTGRES_URL: _, OBVERSE_TEST_RABBITMQ_URL: _1, OBVERSE_TEST_MONGODB_URL: _2, ...rest } = env
  const args = ['--conditions=source', command, 'status', ...NAMES, '--json']
  // it ends with 1 when one of them is not up
  const told = await promisify(execFile)(process.execPath, args, { env: rest, timeout: 10_000 }).catch(
    (error: { stdout?: string }) => error,
  )
  try {
    return (JSON.parse(told.stdout ?? '') as Running[]).filter(({ state }) => state === 'up')
  } catch {
    return []
  }
}

function withDatabase(url: string): string {
  const [, hosts, path, query] = /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/([^?]*))?(\?.*)?$/s.exec(url) ?? []
  return hosts === undefined || path ? url : `${hosts}/${DATABASE}${query ?? ''}`
}
