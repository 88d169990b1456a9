import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { account } from './account.ts'
import type { Instance } from './instance.ts'
import { ended, isRunning, type KnownProcess, killTrees, known, signal, tree } from './process.ts'
import type { Launch, Place, Program } from './program.ts'
import { type ServerRecord, writeRecord } from './record.ts'
import { waitUntil } from './wait.ts'

/** An instance that runs as processes of this machine. */
export class ProgramInstance implements Instance {
  record: ServerRecord
  readonly #folder: string
  readonly #program: () => Promise<Program>
  readonly #place: Place

  /** `folder` exists and belongs to the account; `record.processes` is empty for one that never ran. */
  constructor(folder: string, program: () => Promise<Program>, record: ServerRecord) {
    this.#folder = folder
    this.#program = program
    this.#place = { folder, ports: record.ports, account: account(), secret: record.secret }
    this.record = record
  }

  async prepare(): Promise<void> {
    const program = await this.#program()
    await program.prepare(this.#place)
  }

  isUp(): Promise<boolean> {
    return isRunning(this.record.processes.server)
  }

  async start(): Promise<void> {
    if (await this.isUp()) return
    await this.kill9() // what a server that died alone left behind
    const began = performance.now()
    const program = await this.#program()
    await program.beforeStart?.(this.#place)
    for (const launch of program.launches(this.#place)) {
      await this.#launch(launch)
      if (launch.role === 'server') continue
      await this.#whenReady(launch.role, 10_000, async () => (await program.companionReady?.(this.#place)) !== false)
    }
    const version = await this.#whenReady('server', 60_000, () => program.ready(this.#place))
    const hidden = program.hiddenPid?.(this.#place)
    if (hidden !== undefined) this.#know('hidden', await known(hidden))
    this.#write({ version, startedIn: Math.round(performance.now() - began) })
  }

  async stop(): Promise<void> {
    const { server, hidden } = this.record.processes
    if (await isRunning(server)) {
      const program = await this.#program()
      const all = await this.#tree()
      await program.beforeStop?.(this.#place)
      signal(hidden ?? (server as KnownProcess), program.stopSignal)
      // SIGTERM to RabbitMQ's shell would end the shell alone
      await ended([server as KnownProcess, ...(hidden ? [hidden] : [])], 30_000)
      await killTrees(all)
    }
    await this.kill9()
  }

  async kill9(): Promise<void> {
    // Companions die too: the next start brings its own, on the same port.
    await killTrees(await this.#tree())
    this.#write({ processes: {} })
  }

  async pause(): Promise<void> {
    for (const each of await this.#tree()) signal(each, 'SIGSTOP')
  }

  async resume(): Promise<void> {
    for (const each of (await this.#tree()).reverse()) signal(each, 'SIGCONT')
  }

  async discard(): Promise<void> {
    await this.resume() // what is frozen acts on nothing but SIGKILL
    const { server } = this.record.processes
    const program = await this.#program().catch(() => undefined) // gone: SIGKILL will do
    if (server && program && program.discardSignal !== 'SIGKILL' && (await isRunning(server))) {
      signal(server, program.discardSignal)
      await ended([server], 5_000).catch(() => {})
    }
    await this.kill9()
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  async #tree(): Promise<KnownProcess[]> {
    const trees = await Promise.all(Object.values(this.record.processes).map(tree))
    return [...new Map(trees.flat().map((each) => [each.pid, each])).values()]
  }

  async #launch({ role, command, args, env, asRoot }: Launch): Promise<void> {
    const log = openSync(this.#log(role), 'a')
    const owner = asRoot ? undefined : this.#place.account
    try {
      const child = spawn(command, args, {
        env,
        cwd: this.#folder,
        ...owner,
        detached: true,
        stdio: ['ignore', log, log],
      })
      await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
      child.unref()
      this.#know(role, await known(child.pid as number))
    } finally {
      closeSync(log)
    }
  }

  async #whenReady<T>(role: string, timeout: number, look: () => Promise<T | undefined | false>): Promise<T> {
    const { name } = this.record
    try {
      return await waitUntil(`${name} taking clients`, timeout, async () => {
        if (!(await isRunning(this.record.processes[role]))) throw new Error(`${name}: its ${role} ended at once`)
        return look()
      })
    } catch (error) {
      const printed = readFileSync(this.#log(role), 'utf8').trim().split('\n').slice(-15).join('\n')
      await this.kill9()
      throw new Error(`${(error as Error).message}\n${printed}`, { cause: error })
    }
  }

  #log(role: string): string {
    return join(this.#folder, `${role}.log`)
  }

  // Written before anybody waits for it: whoever is killed meanwhile leaves a process that `down` finds.
  #know(role: string, process: KnownProcess): void {
    this.#write({ processes: { ...this.record.processes, [role]: process } })
  }

  #write(change: Partial<ServerRecord>): void {
    this.record = { ...this.record, ...change }
    writeRecord(this.#folder, this.record)
  }
}
