// Kills of real processes that use servers, and of the servers themselves, counted.
import type { ServerName } from '../../scripts/servers/name.ts'
import { type OwnServer, ownServer, type Server, server } from '../servers.ts'
import type { Scenario } from './scenario.ts'
import { scenariosOn } from './scenarios.ts'
import { servers } from './servers/stack.ts'
import { isNamed, suite } from './suite.ts'

/** Enough for every run; the whole number is for whoever asks for it. */
const MOST = 5

const broker = (process.env.OBVERSE_FAULTS_RABBITMQ ?? 'rabbitmq') as ServerName
const struck = scenariosOn('servers')
  .filter(isNamed)
  .flatMap(({ strike }) => (strike?.own ? [strike] : []))
const own = (name: ServerName, needed: boolean): Promise<OwnServer | undefined> =>
  needed ? ownServer(name) : Promise.resolve(undefined)
const strikes = (kind: string) => struck.some(({ server, forgets }) => server === kind && !forgets)

const [postgres, rabbitmq, mongodb, ownPostgres, ownRabbitmq, ownMongodb, forgetful] = await Promise.all([
  server('postgres'),
  server(broker),
  server('mongodb'),
  own('postgres', strikes('postgres')),
  own(broker, strikes('rabbitmq')),
  own('mongodb', strikes('mongodb')),
  own(
    'mongodb-memory',
    struck.some(({ forgets }) => forgets),
  ),
])
const shared = { postgres, rabbitmq, mongodb }
const mine = { postgres: ownPostgres, rabbitmq: ownRabbitmq, mongodb: ownMongodb }

function struckBy({ strike }: Scenario): Server | undefined {
  if (!strike?.own) return undefined
  return strike.forgets ? forgetful : mine[strike.server]
}

suite({
  stack: servers({ shared, own: mine, forgetful }),
  lacks(scenario) {
    const needed = scenario.broker ? Object.values(shared) : [postgres]
    return [...needed, struckBy(scenario)].some((one) => one?.missing !== undefined)
  },
  countOf: ({ count, strike }) => (strike ? count : Math.min(count, MOST)),
  // a server is struck by one at a time
  lineOf: ({ strike }, turn) => (strike?.own ? `${strike.server} ${strike.forgets ?? ''}` : `line ${turn % 2}`),
})
