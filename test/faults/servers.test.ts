// Kills of real processes that use servers, and of the servers themselves, counted.
import type { ServerName } from '../../scripts/servers/name.ts'
import { ownServer } from '../servers.ts'
import { scenariosOn } from './scenarios.ts'
import { serversFor } from './servers/homes.ts'
import { isNamed, suite } from './suite.ts'

/** Enough for every run; the whole number is for whoever asks for it. */
const MOST = 5

const broker = process.env.OBVERSE_FAULTS_RABBITMQ as ServerName | undefined
const { stack, lacking } = await serversFor(scenariosOn('servers').filter(isNamed), ownServer, broker)

suite({
  stack,
  lacks: (scenario) => lacking(scenario) !== undefined,
  countOf: ({ count, strike }) => (strike ? count : Math.min(count, MOST)),
  // a server is struck by one at a time
  lineOf: ({ strike }, turn) => (strike?.own ? `${strike.server} ${strike.forgets ?? ''}` : `line ${turn % 2}`),
})
