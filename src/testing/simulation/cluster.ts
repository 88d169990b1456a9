import type { App, Broker, OpenStore, Roles, Runtime, Store, ViewStore } from 'obverse'
import { type MemoryBroker, memory, memoryBroker } from 'obverse/memory'
import { type Moods, ReachedBroker } from './broker.ts'
import { ForgetfulViews } from './forgetful-views.ts'
import { History } from './history.ts'
import { Link, type Weather } from './link.ts'
import type { Mutations } from './mutation.ts'
import { type Hazards, SimulatedProcess } from './process.ts'
import { reachedStore, reachedViews } from './store.ts'
import { START, type World } from './world.ts'

/** What a simulated process composes its application of: `createApp({ handlers, ...parts })`. */
export interface SimulatedParts {
  readonly store: Store
  /** Absent in runs in which the queue is in the store. */
  readonly broker?: (environment: { readonly runtime: Runtime }) => Promise<Broker>
  readonly runtime: Runtime
}

/** Beside the parts: what handlers under simulation may do. */
export interface SimulatedHost {
  readonly name: string
  /** Waits; a handler that takes its time. */
  pause(ms: number): Promise<void>
  /** Ends the process: a handler that crashes. */
  crash(why: string): Promise<never>
  /** A view store apart from the store, for `views: { name: host.views }`. */
  readonly views: (environment: { readonly runtime: Runtime }) => Promise<ViewStore>
}

export type Compose = (parts: SimulatedParts, host: SimulatedHost) => App

export type Role = 'api' | 'relay' | 'consumer'

const ROLES: Readonly<Record<Role, Roles>> = {
  api: { relay: false, consume: false, project: false },
  relay: { relay: true, consume: false, project: false },
  consumer: { relay: true, consume: true, project: true },
}

/** One process and the ways it has to its servers. */
export interface Member {
  readonly role: Role
  readonly process: SimulatedProcess
  readonly app: App
  readonly links: readonly Link[]
}

export interface ClusterOptions {
  readonly world: World
  readonly compose: Compose
  readonly roles: readonly Role[]
  /** The messages go through a broker apart, and positions are given after the commit. */
  readonly apart: boolean
  readonly hazards: Hazards
  readonly weather: Weather
  readonly moods: Moods
  readonly without: Mutations
  /** Milliseconds, at most, after which a process that has ended is started again. */
  readonly restart: number
}

/** The servers of a run, which keep what they have, and its processes, which do not. */
export class Cluster {
  readonly history: History
  /** Set by the first process that opens the store: the store itself, without any way to it. */
  bare: OpenStore | undefined
  kills = 0
  readonly #options: ClusterOptions
  readonly #store: Store
  readonly #broker: MemoryBroker | undefined
  readonly #members: (Member | undefined)[] = []
  #views: ForgetfulViews | undefined
  #births = 0
  #ending = false

  constructor(options: ClusterOptions) {
    this.#options = options
    this.history = new History(options.world, options.without)
    this.#store = this.#seen(memory(options.apart ? { positions: 'relay' } : {}))
    this.#broker = options.apart ? memoryBroker() : undefined
  }

  get broker(): MemoryBroker | undefined {
    return this.#broker
  }

  start(): void {
    for (const place of this.#options.roles.keys()) this.#spawn(place)
  }

  /** Those that live, frozen or not; of a role, if one is named. */
  members(role?: Role): readonly Member[] {
    return this.#members.filter((one): one is Member => one !== undefined && (role === undefined || one.role === role))
  }

  /** The view store apart ends, with every connection to it, and is empty when it comes back. */
  forgetViews(ms: number): void {
    for (const { links } of this.members()) links.at(-1)?.cut(ms)
    this.#views?.forget()
  }

  end(): void {
    this.#ending = true
    for (const { process } of this.members()) process.kill('with the run')
  }

  #spawn(place: number): void {
    const { world, compose, roles, hazards, weather, moods, without } = this.#options
    const role = roles[place] as Role
    this.#births += 1
    const process = new SimulatedProcess(`${role}-${this.#births}`, world, hazards, without)
    const toStore = new Link(process, 'store', 'STORE_UNREACHABLE', world, weather)
    const toBroker = new Link(process, 'broker', 'BROKER_UNREACHABLE', world, weather)
    const toViews = new Link(process, 'view store', 'STORE_UNREACHABLE', world, weather)
    const broker = this.#broker
    const app = compose(
      {
        store: reachedStore(this.#store, {
          link: toStore,
          world,
          history: this.history,
          apart: broker !== undefined,
          without,
        }),
        ...(broker && { broker: async () => new ReachedBroker(broker, { link: toBroker, world, moods, without }) }),
        runtime: process.runtime,
      },
      {
        name: process.name,
        pause: (ms) => process.pass(ms),
        crash: (why) => process.crash(why),
        views: async () =>
          reachedViews((this.#views as ForgetfulViews).store(!without.has('checkpoint-beside-rows')), toViews),
      },
    )
    this.#members[place] = { role, process, app, links: [toStore, toBroker, toViews] }
    process.watch(
      () => {
        this.kills += 1
        this.#members[place] = undefined
        world.after(world.between(20, this.#options.restart), () => this.#ending || this.#spawn(place))
      },
      () => {},
    )
    world.note(process.name, 'starts')
    this.#begin(process, app, role)
  }

  /** As a supervisor does: again and again, until it runs. */
  #begin(process: SimulatedProcess, app: App, role: Role): void {
    app.start(ROLES[role]).catch(() => process.pass(200).then(() => this.#begin(process, app, role)))
  }

  #seen(store: Store): Store {
    return {
      name: store.name,
      open: async (environment) => {
        const plain = { ...environment, runtime: this.#plain() }
        this.#views ??= new ForgetfulViews(plain)
        this.bare ??= await store.open(plain)
        return store.open(environment)
      },
    }
  }

  #plain(): Runtime {
    const { world } = this.#options
    return {
      now: () => Math.floor(START + world.elapsed),
      elapsed: () => world.elapsed,
      after: (ms, work) => world.after(ms, work),
      id: () => 'nobody',
      random: () => 0,
    }
  }
}
