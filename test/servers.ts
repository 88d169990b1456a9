/**
 * Servers for tests. Ask at the top of a file, and skip what cannot run without:
 *
 *     const postgres = await fresh('postgres')
 *     describe.skipIf(postgres.missing)('append', () => { … postgres.url … })
 *
 * `fresh` gives a database or virtual host of the file's own on a server that all files share; `server` gives that
 * server itself; `ownServer` starts one that a test may stop, kill and freeze. Tests never read DATABASE_URL and its
 * kin, and a server named by OBVERSE_TEST_POSTGRES_URL and its kin is never stopped.
 *
 * What cannot be had is `missing`, with the reason, which the run prints; with OBVERSE_TEST_REQUIRE=1 it is a failure.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, onTestFinished } from 'vitest'
import { givenServer } from '../scripts/servers/given.ts'
import type { Instance } from '../scripts/servers/instance.ts'
import { ServerMissing } from '../scripts/servers/missing.ts'
import { type Kind, NAMES, type ServerName, USUAL } from '../scripts/servers/name.ts'
import type { ServerRecord } from '../scripts/servers/record.ts'
import { ServerSet, setFolder } from '../scripts/servers/set.ts'
import { startKeeper } from './servers/keeper.ts'
import { forget, remember } from './servers/leftovers.ts'
import { note, serversFolder } from './servers/place.ts'
import { dropSpace, makeSpace, spaceName } from './servers/space.ts'

export { management } from './servers/http.ts'

export interface Server {
  readonly name: ServerName
  readonly kind: Kind
  /** Why it cannot be had; then the rest throws or is empty. */
  readonly missing: string | undefined
  readonly url: string
  /** RabbitMQ's HTTP API, credentials included; undefined where it does not answer. */
  readonly management: string | undefined
  readonly version: string
  /** A stand-in speaks the protocol and is another product. */
  readonly what: 'server' | 'stand-in'
  /** `mongo-java-server in memory` keeps nothing when it stops; all others keep what they acknowledged. */
  readonly from: string
}

/** One that nobody else uses. It keeps its port and its data until it is discarded, at the end of the test or file. */
export interface OwnServer extends Server {
  start(): Promise<void>
  /** Cleanly, whoever is connected. */
  stop(): Promise<void>
  /** SIGKILL to all its processes. */
  kill9(): Promise<void>
  /** Freezes all its processes: connections stay open, and nobody answers. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** The processes are gone and so is the data. */
  discard(): Promise<void>
}

/** A space of one's own on a server; dropped at the end of the test or file that asked for it. */
export interface Space extends Server {
  /** Of the database or virtual host, which `url` leads to. */
  readonly space: string
  drop(): Promise<void>
}

const shared = new Map<ServerName, Promise<Server>>()

/** The server that all files of the run share: the user's, or one that runs already, or one started now. */
export function server(name: ServerName): Promise<Server> {
  let found = shared.get(name)
  if (!found) {
    found = unlessMissing(name, async () => serverOf((await running(name)) ?? (await startShared(name)).record))
    shared.set(name, found)
  }
  return found
}

/** A server that this test alone uses, and may kill; never one of the user's. */
export async function ownServer(name: ServerName): Promise<OwnServer> {
  const own = await startOwn(name)
  if (own.missing === undefined) atTheEnd(() => own.discard())
  return own
}

/** The same for a program that is no test: it ends with the run. */
export function startOwn(name: ServerName): Promise<OwnServer> {
  return unlessMissing(name, async () => {
    await startKeeper()
    const as = `own-${name}-${randomBytes(4).toString('hex')}`
    const instance = await new ServerSet(serversFolder()).up(name, as)
    return withControls(serverOf(instance.record), instance)
  })
}

/** A database, or virtual host, that nobody used before; on the shared server unless another is given. */
export async function fresh(on: ServerName | Server): Promise<Space> {
  const home = typeof on === 'string' ? await server(on) : on
  const space = spaceName()
  if (home.missing !== undefined) return { ...absent(home.name, home.missing), space, drop: async () => {} }
  const { kind, url, management } = home
  remember({ kind, url, management }, space)
  const drop = async (): Promise<void> => {
    await dropSpace(home, space)
    forget(space)
  }
  const made = { ...home, url: await makeSpace(home, space), space, drop }
  atTheEnd(() => drop().catch(() => {})) // the run tries again
  return made
}

async function running(name: ServerName): Promise<ServerRecord | undefined> {
  const started = new ServerSet(setFolder()).instances().get(name)
  const up = started && (await started.isUp()) ? started.record : undefined
  // The set that OBVERSE_SERVERS_DIR names knows more about its servers than a URL says.
  return process.env.OBVERSE_SERVERS_DIR && up ? up : ((await givenServer(name)) ?? up)
}

async function startShared(name: ServerName): Promise<Instance> {
  await startKeeper()
  return new ServerSet(serversFolder()).up(name)
}

async function unlessMissing<T extends Server>(name: ServerName, find: () => Promise<T>): Promise<T | OwnServer> {
  try {
    const found = await find()
    note(`server: ${NAMES[name].title} ${found.version}, ${found.what} (${found.from})`)
    return found
  } catch (error) {
    const required = process.env.OBVERSE_TEST_REQUIRE === '1' && USUAL.includes(name)
    if (!(error instanceof ServerMissing) || required) throw error
    note(`skipped: what needs ${NAMES[name].title}, because ${error.reason}. ${error.remedy}.`)
    return absent(name, error.reason)
  }
}

function serverOf({ name, kind, url, management, version, what, from }: ServerRecord): Server {
  return { name, kind, missing: undefined, url, management, version, what, from }
}

function withControls(found: Server, instance: Instance): OwnServer {
  return {
    ...found,
    start: () => instance.start(),
    stop: () => instance.stop(),
    kill9: () => instance.kill9(),
    pause: () => instance.pause(),
    resume: () => instance.resume(),
    discard: () => instance.discard(),
  }
}

// What reads `url` of a missing server forgot to skip.
function absent(name: ServerName, missing: string): OwnServer {
  const fail = (): never => {
    throw new Error(`${NAMES[name].title} is missing, and this test does not skip: ${missing}`)
  }
  const server = {
    name,
    kind: NAMES[name].kind,
    missing,
    version: '',
    what: 'server',
    from: '',
    management: undefined,
  } as const
  const controls = { start: fail, stop: fail, kill9: fail, pause: fail, resume: fail, discard: async () => {} }
  return Object.defineProperty({ ...server, ...controls, url: '' }, 'url', { get: fail, enumerable: false })
}

function atTheEnd(work: () => Promise<void>): void {
  try {
    onTestFinished(work)
  } catch {
    afterAll(work) // not in a test
  }
}
