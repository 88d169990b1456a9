import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../processes.ts'
import type { Op } from './ledger/messages.ts'
import type { Assignment, Letter, Notice, Order, Role } from './ledger/protocol.ts'

/** Hundreds of processes load the same code. */
const COMPILED = join(root, 'node_modules/.cache/faults')
/** Milliseconds in which a process that is awake answers. */
const ANSWER = 2_000

export interface MemberEvents {
  onNotice(member: Member, notice: Notice): void
  onEnd(member: Member, code: number | null, signal: NodeJS.Signals | null): void
}

/** One real process of the ledger, from its start to its end. */
export class Member {
  readonly role: Role
  readonly pid: number
  /** Operations that it was given and has not answered. */
  readonly inFlight: Map<string, Op> = new Map()
  state: 'loading' | 'loaded' | 'going' | 'ready' | 'leaving' | 'ended' = 'loading'
  /** When it was asked to leave. */
  leftAt = 0
  output = ''
  readonly #child: ChildProcess
  readonly #questions = new Map<Notice['is'], ((notice: Notice) => void)[]>()
  #go: Order | undefined

  /** `file`: what it runs. */
  constructor(file: string, assignment: Assignment, events: MemberEvents) {
    this.role = assignment.role
    this.#child = fork(file, {
      execArgv: ['--conditions=source'],
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILED, LEDGER: JSON.stringify(assignment) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.pid = this.#child.pid ?? -1
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
    this.#child.on('message', (notice: Notice) => {
      if (notice.is === 'loaded') this.#loaded()
      if (notice.is === 'ready') this.state = 'ready'
      this.#questions.get(notice.is)?.shift()?.(notice)
      events.onNotice(this, notice)
    })
    this.#child.once('exit', (code, signal) => {
      this.state = 'ended'
      events.onEnd(this, code, signal)
    })
    // it may end while it is told something
    this.#child.on('error', () => {})
  }

  /** Opens and runs, at once or as soon as it has loaded. */
  go(armed: boolean): void {
    this.#go = { do: 'go', armed }
    if (this.state === 'loaded') this.#begin()
  }

  tell(order: Order): void {
    if (this.#child.connected) this.#child.send(order, () => {})
  }

  /** Deliveries that it has taken and not acknowledged. */
  async open(): Promise<number> {
    return (await this.#ask({ do: 'count' }, 'open')).count
  }

  async letters(): Promise<readonly Letter[]> {
    return (await this.#ask({ do: 'letters' }, 'letters')).letters
  }

  /** Asks it to leave as those do who run processes. */
  leave(): void {
    this.state = 'leaving'
    this.leftAt = performance.now()
    this.signal('SIGTERM')
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** The system has stopped it. */
  isStopped(): boolean {
    try {
      return / T /.test(readFileSync(`/proc/${this.pid}/stat`, 'utf8'))
    } catch {
      return execFileSync('ps', ['-o', 'state=', '-p', String(this.pid)], { encoding: 'utf8' }).startsWith('T')
    }
  }

  #ask<I extends Notice['is']>(order: Order, is: I): Promise<Extract<Notice, { is: I }>> {
    const asked = this.#questions.get(is) ?? []
    this.#questions.set(is, asked)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.role} ${this.pid} did not answer`)), ANSWER)
      asked.push((notice) => {
        clearTimeout(timer)
        resolve(notice as Extract<Notice, { is: I }>)
      })
      this.tell(order)
    })
  }

  #loaded(): void {
    this.state = 'loaded'
    if (this.#go) this.#begin()
  }

  #begin(): void {
    this.state = 'going'
    if (this.#go) this.tell(this.#go)
  }
}
