import { join } from 'node:path'
import type { Store } from 'obverse'
import { postgres } from 'obverse/postgres'
import { sqlite } from 'obverse/sqlite'
import type { Stack } from '../../apps/orders/stack.ts'
import { EmbeddedInstallation } from '../../apps/orders/test/embedded.ts'
import type { Installation } from '../../apps/orders/test/installation.ts'
import { ServersInstallation } from '../../apps/orders/test/on-servers.ts'
import type { Instance } from '../../scripts/servers/instance.ts'
import type { Kind } from '../../scripts/servers/name.ts'
import { ServerSet, setFolder } from '../../scripts/servers/set.ts'
import { temporaryFolder } from '../processes.ts'
import { makeSpace, spaceName } from '../servers/space.ts'
import type { Server } from '../servers.ts'
import { WATCHED } from './memory.ts'

export interface Place {
  readonly env: Readonly<Record<string, string>>
  readonly relayed: boolean
  readonly silence: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Servers of the bounds' own, which end with the run; a space on each that is new. */
export class Stacks {
  readonly #set = new ServerSet(setFolder('bounds'))
  readonly #started = new Set<string>()

  /** The orders application with nothing in it, whose memory can be asked for. @throws {ServerMissing} saying what brings it */
  async orders(stack: Stack): Promise<Installation> {
    if (stack === 'embedded') return new EmbeddedInstallation(WATCHED)
    const [postgres, rabbitmq, mongodb] = await Promise.all([
      this.space('postgres'),
      this.space('rabbitmq'),
      this.space('mongodb'),
    ])
    return new ServersInstallation({ postgres, rabbitmq, mongodb }, WATCHED)
  }

  /** Where the application of `passing` keeps what it has; `silence` stops its broker. */
  async passing(stack: Stack): Promise<Place> {
    if (stack === 'embedded') {
      const folder = temporaryFolder('passing')
      const env = { PASSING_FILE: join(folder.path, 'passing.db') }
      return { env, relayed: false, silence: async () => {}, close: async () => folder.remove() }
    }
    const [postgres, rabbitmq] = await Promise.all([this.space('postgres'), this.space('rabbitmq')])
    return {
      env: { PASSING_POSTGRES: postgres.url, PASSING_RABBITMQ: rabbitmq.url },
      relayed: true,
      silence: async () => (await this.#server('rabbitmq')).stop(),
      close: async () => {},
    }
  }

  /** A store with nothing in it. */
  async store(stack: Stack): Promise<{ readonly store: Store; readonly close: () => Promise<void> }> {
    if (stack === 'servers') return { store: postgres((await this.space('postgres')).url), close: async () => {} }
    const folder = temporaryFolder('bounds')
    return { store: sqlite(join(folder.path, 'bounds.db')), close: async () => folder.remove() }
  }

  async space(kind: Kind): Promise<Server> {
    const { record } = await this.#server(kind)
    const name = spaceName()
    const url = await makeSpace(record, name)
    return { ...record, url, management: record.management, missing: undefined }
  }

  /** One that no other run uses, whatever folder the environment names. */
  #server(kind: Kind): Promise<Instance> {
    const name = `bounds-${process.pid}-${kind}`
    this.#started.add(name)
    return this.#set.up(kind, name)
  }

  /** Leaves no process. */
  async end(): Promise<void> {
    if (this.#started.size > 0) await this.#set.down([...this.#started])
  }
}
