import { join } from 'node:path'
import type { Stack } from '../../apps/orders/stack.ts'
import { EmbeddedInstallation } from '../../apps/orders/test/embedded.ts'
import type { Installation } from '../../apps/orders/test/installation.ts'
import { ServersInstallation } from '../../apps/orders/test/on-servers.ts'
import type { Kind } from '../../scripts/servers/name.ts'
import { ServerSet, setFolder } from '../../scripts/servers/set.ts'
import { temporaryFolder } from '../processes.ts'
import { dropSpace, makeSpace, spaceName } from '../servers/space.ts'
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
  readonly #set = new ServerSet(setFolder(`bounds-${process.pid}`))
  readonly #spaces: (() => Promise<void>)[] = []

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
      silence: async () => (await this.#set.up('rabbitmq')).stop(),
      close: async () => {},
    }
  }

  async space(kind: Kind): Promise<Server> {
    const { record } = await this.#set.up(kind)
    const name = spaceName()
    const url = await makeSpace(record, name)
    this.#spaces.push(() => dropSpace(record, name))
    return { ...record, url, management: record.management, missing: undefined }
  }

  /** Leaves no process. */
  async end(): Promise<void> {
    if (this.#spaces.length > 0) await this.#set.down()
  }
}
