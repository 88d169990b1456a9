import { setTimeout as pause } from 'node:timers/promises'
import { control } from '../adapters/rabbitmq/control.ts'
import { until } from '../processes.ts'
import { management, type OwnServer } from '../servers.ts'
import type { Scene } from './conductors.ts'
import { ALONE, SHARED } from './ledger/handlers.ts'
import type { ServerStores } from './ledger/stores.ts'
import type { Strike } from './scenario.ts'
import type { Direction, Link } from './servers/link.ts'

/** Operations that are answered before a strike, and effects after it. */
const SOME = 12
/** Milliseconds from then to the strike, on average. */
const MEAN = 200
/**
 * Milliseconds after which a broker is sure to know its queues. A RabbitMQ that is killed within about a second of the declaration
 * of a quorum queue has that queue for ever without a leader, and what it has confirmed there is gone: seen with 3.10.8 and 4.0.5.
 */
const REMEMBERED = 1_500

/** Strikes a server again and again, and lets it come back each time. Resolves with how many operations were answered while it was away, at least. */
export async function strikeServer(scene: Scene, strike: Strike, strikes: number, room = 0): Promise<number> {
  const { fleet, load, rows, recovery, random, patience } = scene
  let least = Number.POSITIVE_INFINITY
  if (strike.server === 'rabbitmq') await pause(REMEMBERED)
  for (let count = 0; count < strikes; count += 1) {
    const before = load.answered.size
    await until('the load to go on', () => fleet.odd.length > 0 || load.answered.size >= before + SOME, patience)
    await pause(-Math.log(1 - random()) * MEAN)
    if (fleet.odd.length > 0) return least
    await recovery.expect()
    recovery.strikes += 1
    const answered = load.answered.size
    load.makeRoom(room)
    await WAYS[strike.how](scene, strike)
    load.makeRoom(-room)
    least = Math.min(least, load.answered.size - answered)
    const effects = await until('the store to answer', () => rows.effects().catch(() => undefined), patience)
    const goOn = async () => (await rows.effects().catch(() => 0)) >= effects + SOME
    await until('effects to go on', goOn, patience)
  }
  return least
}

const WAYS: Readonly<Record<Strike['how'], (scene: Scene, strike: Strike) => Promise<void>>> = {
  async kill(scene, strike) {
    const server = struck(scene, strike)
    await server.kill9()
    await pause(strike.ms)
    await server.start()
  },

  async freeze(scene, strike) {
    const server = struck(scene, strike)
    await server.pause()
    await pause(strike.ms)
    await server.resume()
  },

  async terminate({ stage }, { ms }) {
    // that of the look, too, as far as it has two
    await stage.store.all(TERMINATE)
    await pause(ms)
  },

  async unbind(scene) {
    const { fleet } = scene
    const before = fleet.returned
    for (const queue of [ALONE, SHARED]) {
      const path = `bindings/VHOST/e/obverse/q/${queue}`
      const { body } = await ask(scene, 'GET', path)
      for (const { properties_key } of body as { properties_key: string }[]) {
        await ask(scene, 'DELETE', `${path}/${encodeURIComponent(properties_key)}`)
      }
    }
    await until('a message to be returned', () => fleet.returned > before, scene.patience)
  },

  async delete(scene) {
    const { load, rows, fleet, patience } = scene
    load.end()
    await until('the queues to be empty', async () => load.settled && (await rows.quiet(fleet.pids)), patience)
    const before = fleet.returned
    // those who notice at once would declare them again before anything is published
    for (const consumer of fleet.ready('consumer')) consumer.signal('SIGSTOP')
    await Promise.all([ALONE, SHARED].map((queue) => ask(scene, 'DELETE', `queues/VHOST/${queue}`)))
    load.goOn()
    await until('a message to be returned', () => fleet.returned > before, patience)
    for (const consumer of fleet.ready('consumer')) consumer.signal('SIGCONT')
  },

  async alarm(scene, strike) {
    const { url } = struck(scene, strike)
    const ctl = control(url)
    if (!ctl) throw new Error('rabbitmqctl of the server cannot be found')
    await ctl('set_vm_memory_high_watermark', '0')
    await pause(strike.ms / 2)
    const [relay] = scene.fleet.ready('relay')
    if (relay) await scene.fleet.relieve(relay)
    await pause(strike.ms / 2)
    await ctl('set_vm_memory_high_watermark', '0.4')
  },

  async conflict({ stage, patience }) {
    const { store } = stage
    const refusals = async () => (await store.all<{ last_value: number }>('SELECT last_value FROM faults_refused'))[0]
    await store.all(REFUSING)
    // one after the other: locks on several tables at once would be a deadlock of our own making
    for (const name of TABLES) {
      await store.all(
        `CREATE TRIGGER faults_refuse BEFORE INSERT ON ${name} FOR EACH ROW EXECUTE FUNCTION faults_refuse()`,
      )
    }
    const before = (await refusals())?.last_value ?? 0
    await until('rows to be refused', async () => ((await refusals())?.last_value ?? 0) >= before + SOME, patience)
    for (const name of TABLES) await store.all(`DROP TRIGGER faults_refuse ON ${name}`)
  },

  async cut(scene, strike) {
    const link = linkTo(scene, strike)
    const before = link.cuts
    // few bytes as often as many
    link.cutAfter(Math.ceil(MOST_BYTES ** scene.random()), directionOf(scene))
    await until('a connection to be cut', () => link.cuts > before, scene.patience)
  },

  async silence(scene, strike) {
    const link = linkTo(scene, strike)
    link.silence(directionOf(scene))
    await pause(strike.ms)
    link.restore()
  },
}

function directionOf({ random }: Scene): Direction {
  return random() < 0.5 ? 'to server' : 'to client'
}

function linkTo({ stage }: Scene, { server }: Strike): Link {
  const found = stage.links[server]
  if (!found) throw new Error(`this run has no link to ${server}`)
  return found
}

/** The most bytes that pass before a connection is cut. */
const MOST_BYTES = 4_000

/** Of the application and of the toolkit. */
const TABLES = ['ledger', 'effects', 'obverse_event', 'obverse_queue', 'obverse_inbox']

/** What a sequence counts is not rolled back. */
const REFUSING = `CREATE SEQUENCE IF NOT EXISTS faults_refused;
  CREATE OR REPLACE FUNCTION faults_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF random() < 0.1 THEN
      PERFORM nextval('faults_refused');
      RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
    END IF;
    RETURN NEW;
  END $$;`

const TERMINATE = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()`

function struck({ stage }: Scene, { server }: Strike): OwnServer {
  const found = stage.struck[server]
  if (!found) throw new Error(`this run has no ${server} of its own`)
  return found
}

/** The HTTP API of the broker; VHOST in the path is the run's own. */
async function ask({ stage }: Scene, method: string, path: string) {
  const { rabbitmq = '' } = stage.stores as ServerStores
  const vhost = new URL(rabbitmq).pathname.slice(1)
  const answer = await management(stage.management ?? '', method, `/${path.replace('VHOST', vhost)}`)
  if (answer.status >= 300 && answer.status !== 404) throw new Error(`${method} ${path}: ${answer.status}`)
  return answer
}
