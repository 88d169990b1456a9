import { COMPOSE_PORTS, composeAnswers } from './compose.ts'
import { bring, ServerMissing } from './missing.ts'
import { findMongod } from './mongodb.ts'
import { NAMES, type ServerName } from './name.ts'
import { findPostgres } from './postgres.ts'
import type { Program } from './program.ts'
import { findRabbitmq } from './rabbitmq.ts'
import { findRabbitmq4, RABBITMQ4_ROOT } from './rabbitmq4.ts'
import type { Way } from './record.ts'
import { findStandIn } from './stand-in.ts'

type Find = () => Program | undefined | Promise<Program | undefined>

// For each server the ways to have it here, the first that works is taken.
const WAYS: Readonly<Record<ServerName, readonly (readonly [way: Way, find?: Find])[]>> = {
  postgres: [['programs', findPostgres], ['compose']],
  rabbitmq: [['programs', findRabbitmq], ['compose']],
  rabbitmq4: [['root', findRabbitmq4]],
  mongodb: [['programs', findMongod], ['compose'], ['stand-in', () => findStandIn(false)]],
  'mongodb-memory': [['stand-in', () => findStandIn(true)]],
}

const LACKS: Readonly<Record<ServerName, string>> = {
  postgres: 'there is no `postgres` on the PATH or in /usr/lib/postgresql, and no Docker Compose whose daemon answers',
  rabbitmq: 'there is no /usr/lib/rabbitmq/bin/rabbitmq-server, and no Docker Compose whose daemon answers',
  rabbitmq4: `there is no Debian 13 in ${RABBITMQ4_ROOT}, or this is not root`,
  mongodb: 'there is no `mongod`, no Docker Compose whose daemon answers, and no JDK with Maven to build a stand-in',
  'mongodb-memory': 'there is no JDK with Maven to build the stand-in',
}

export interface Found {
  readonly way: Way
  /** Undefined: a service of Compose. */
  readonly program?: Program
  readonly ports: readonly string[]
}

/** How a server can be had here; rejects with ServerMissing when it cannot. */
export async function findWay(name: ServerName): Promise<Found> {
  for (const [way, find] of WAYS[name]) {
    const program = await find?.()
    if (program) return { way, program, ports: program.ports }
    if (!find && (await composeAnswers())) return { way, ports: Object.keys(COMPOSE_PORTS[NAMES[name].kind]) }
  }
  const { variable } = NAMES[name]
  throw new ServerMissing(
    name,
    LACKS[name],
    variable ? `${bring(name)}; or let ${variable} name one of yours` : bring(name),
  )
}

/** The program of an instance that was made before. */
export async function findProgram(name: ServerName, way: Way): Promise<Program> {
  const program = await WAYS[name].find(([each]) => each === way)?.[1]?.()
  if (!program) throw new ServerMissing(name, `what it was started from is gone: ${LACKS[name]}`)
  return program
}
