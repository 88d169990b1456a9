import type { ServerName } from '../../../scripts/servers/name.ts'
import { type OwnServer, type Server, server } from '../../servers.ts'
import type { Scenario } from '../scenario.ts'
import type { Stack } from '../stack.ts'
import { type Homes, servers } from './stack.ts'

export interface ServersStack {
  readonly stack: Stack
  /** Why a scenario cannot be run here; `undefined` where it can. */
  readonly lacking: (scenario: Scenario) => string | undefined
}

/** Brings up what the scenarios need: servers that runs share, and one of each kind that is struck. `start` starts that one. */
export async function serversFor(
  scenarios: readonly Scenario[],
  start: (name: ServerName) => Promise<OwnServer>,
  broker: ServerName = 'rabbitmq',
): Promise<ServersStack> {
  const struck = scenarios.flatMap(({ strike }) => (strike?.own ? [strike] : []))
  const own = (name: ServerName, needed: boolean) => (needed ? start(name) : undefined)
  const strikes = (kind: string) => struck.some((strike) => strike.server === kind && !strike.forgets)
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
  const homes: Homes = {
    shared: { postgres, rabbitmq, mongodb },
    own: { postgres: ownPostgres, rabbitmq: ownRabbitmq, mongodb: ownMongodb },
    forgetful,
  }
  const struckBy = ({ strike }: Scenario): Server | undefined => {
    if (!strike?.own) return undefined
    return strike.forgets ? homes.forgetful : homes.own[strike.server]
  }
  return {
    stack: servers(homes),
    lacking(scenario) {
      const needed = scenario.broker ? Object.values(homes.shared) : [postgres]
      const missing = [...needed, struckBy(scenario)].find((one) => one?.missing !== undefined)
      return missing && `${missing.name} is missing: ${missing.missing}`
    },
  }
}
