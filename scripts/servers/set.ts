import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { account, assertEnterable, ownFolder } from './account.ts'
import { ComposeInstance, composeUrls } from './compose.ts'
import type { Instance } from './instance.ts'
import { withLock } from './lock.ts'
import { ServerMissing } from './missing.ts'
import { NAMES, type ServerName } from './name.ts'
import { freePorts } from './port.ts'
import { ProgramInstance } from './programs.ts'
import { readRecord, type ServerRecord, writeRecord } from './record.ts'
import { findProgram, findWay } from './ways.ts'

const usualFolder = join(tmpdir(), `obverse-servers-${process.getuid?.() ?? 0}`)

/** Where the set of that name is; OBVERSE_SERVERS_DIR overrules it. */
export function setFolder(name = 'default'): string {
  return process.env.OBVERSE_SERVERS_DIR || join(usualFolder, name)
}

/**
 * Servers that were started together, in one folder. Processes that use the same folder at once share the servers: the
 * first that needs one starts it, the others wait. Sets with different folders know nothing of each other.
 */
export class ServerSet {
  readonly folder: string

  constructor(folder: string = setFolder()) {
    this.folder = folder
  }

  /** The instances that were made here, running or not, by the names of their folders. */
  instances(): Map<string, Instance> {
    if (!existsSync(this.folder)) return new Map()
    assertOurs(this.folder)
    const names = readdirSync(this.folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? entry.name : [],
    )
    return new Map(
      names.flatMap((name) => {
        const instance = this.#open(name)
        return instance ? [[name, instance]] : []
      }),
    )
  }

  /**
   * The server, started if it does not run. `as` tells instances of one kind apart. Rejects with ServerMissing when it
   * cannot be had here, and with what it printed when it does not start.
   */
  async up(name: ServerName, as: string = name): Promise<Instance> {
    this.#make()
    return withLock(this.#lock(as), async () => {
      const there = this.#open(as)
      if (there?.record.version === '')
        await there.discard() // its making was cut short
      else if (there) {
        await there.start()
        return there
      }
      try {
        return await this.#startNew(name, as)
      } catch (error) {
        // A port that was free may be somebody's by now; new ones are tried, once.
        if (error instanceof ServerMissing) throw error
        return await this.#startNew(name, as)
      }
    })
  }

  /** Ends the instances, all of them unless some are named, and removes what they had. */
  async down(names?: readonly string[]): Promise<string[]> {
    const instances = this.instances()
    const condemned = [...instances].filter(([name]) => names?.includes(name) ?? true)
    await Promise.all(condemned.map(([name, instance]) => withLock(this.#lock(name), () => instance.discard())))
    if (!names || condemned.length === instances.size) this.#remove()
    return condemned.map(([name]) => name)
  }

  #open(as: string): Instance | undefined {
    const folder = join(this.folder, as)
    const record = readRecord(folder)
    if (!record) return undefined
    if (record.way === 'compose') return new ComposeInstance(folder, record)
    return new ProgramInstance(folder, () => findProgram(record.name, record.way), record)
  }

  async #startNew(name: ServerName, as: string): Promise<Instance> {
    const instance = await this.#create(name, as)
    try {
      await instance.start()
    } catch (error) {
      await instance.discard()
      throw error
    }
    return instance
  }

  async #create(name: ServerName, as: string): Promise<Instance> {
    const { way, program, ports: portNames } = await findWay(name)
    const { kind } = NAMES[name]
    const folder = join(this.folder, as)
    rmSync(folder, { recursive: true, force: true }) // what a creation left that was cut short
    ownFolder(folder, account())
    const ports = await freePorts(portNames)
    const secret = randomBytes(12).toString('hex')
    const base = { name, kind, way, version: '', startedIn: 0, folder, ports, secret, processes: {} } as const
    if (!program) {
      const record = { ...base, what: 'server', from: 'Docker Compose', ...composeUrls(kind, ports) } as const
      writeRecord(folder, record)
      return new ComposeInstance(folder, record)
    }
    const { what, from } = program
    const place = { folder, ports, account: account(), secret }
    const management = program.management?.(place)
    const record: ServerRecord = { ...base, what, from, url: program.url(place), ...(management ? { management } : {}) }
    writeRecord(folder, record) // before there is anything that `down` would have to find
    const instance = new ProgramInstance(folder, async () => program, record)
    await instance.prepare()
    return instance
  }

  #lock(as: string): string {
    return join(this.folder, `${as}.lock`)
  }

  #make(): void {
    if (!existsSync(this.folder)) {
      mkdirSync(this.folder, { recursive: true })
      chmodSync(this.folder, 0o755) // the account goes through it to its own
    }
    assertOurs(this.folder)
    assertEnterable(this.folder, account())
  }

  // Nothing but what was made here: OBVERSE_SERVERS_DIR may name any folder.
  #remove(): void {
    if (!existsSync(this.folder)) return
    for (const name of readdirSync(this.folder)) {
      if (name.endsWith('.lock')) rmSync(join(this.folder, name), { force: true })
    }
    for (const folder of [this.folder, ...(dirname(this.folder) === usualFolder ? [usualFolder] : [])]) {
      try {
        rmdirSync(folder)
      } catch {
        return // something else is in it
      }
    }
  }
}

// The name can be guessed, and the folder says which processes to kill.
function assertOurs(folder: string): void {
  if (process.getuid && statSync(folder).uid !== process.getuid()) {
    throw new Error(`${folder} belongs to another user: choose a set by --set or OBVERSE_SERVERS_DIR`)
  }
}
