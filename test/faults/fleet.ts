import { until } from '../processes.ts'
import { POISONED } from './ledger/handlers.ts'
import type { Assignment, Crash, Notice, Role } from './ledger/protocol.ts'
import type { Reply } from './load.ts'
import { Member } from './member.ts'
import type { CrashPlan } from './scenario.ts'

export interface FleetOptions {
  readonly processes: Readonly<Partial<Record<Role, number>>>
  readonly crash: Readonly<Partial<Record<Role, CrashPlan>>>
  readonly assignment: Omit<Assignment, 'role' | 'crash' | 'seed'>
  /** Those of which processes end, so that a spare is kept. */
  readonly mortal: ReadonlySet<Role>
  readonly random: () => number
  /** What they run. */
  readonly file: string
  /** Its process has ended and another takes its place. */
  readonly onKilled: (member: Member) => void
  readonly onAnswer: (reply: Reply, by: Member) => void
}

/**
 * The processes of a scenario. Whatever ends is replaced at once, by a spare that has its code loaded already: what
 * is measured is the recovery of the application, not the start of Node.
 */
export class Fleet {
  kills = 0
  /** Processes that a poisoned message has ended. */
  poisoned = 0
  redelivered = 0
  /** Messages that no queue could be found for; they are published again. */
  returned = 0
  /** Messages that were given up. */
  dead = 0
  /** How often a part could not reach something. */
  outages = 0
  /** Attempts that messages have lost without being at fault. */
  readonly spent: string[] = []
  /** Transactions that found that their message was somebody else's. */
  fenced = 0
  readonly stopped: Set<Member> = new Set()
  /** How often one went on after its stop. */
  resumed = 0
  /** Milliseconds that those took to leave who were asked to. */
  readonly leaves: number[] = []
  /** What none of the injected faults explains. */
  readonly odd: string[] = []
  readonly #options: FleetOptions
  readonly #members = new Set<Member>()
  readonly #spares = new Map<Role, Member>()
  #armed = true
  #ending = false

  constructor(options: FleetOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const all = Object.entries(this.#options.processes).flatMap(([role, count]) => Array(count).fill(role) as Role[])
    for (const role of all) this.#enlist(role)
    await until('every process to be ready', () => this.#failed() || this.ready().length === all.length, 60_000)
  }

  get pids(): ReadonlySet<number> {
    return new Set([...this.#members].map(({ pid }) => pid))
  }

  ready(role?: Role): readonly Member[] {
    return [...this.#members].filter((one) => one.state === 'ready' && (role === undefined || one.role === role))
  }

  /** Deliveries that consumers have taken and not acknowledged; of those that are awake. */
  async open(): Promise<number> {
    const awake = this.ready('consumer').filter((member) => !this.stopped.has(member))
    const counts = await Promise.all(awake.map((member) => member.open()))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** Asks one to leave, after another has taken its place. Resolves when it has left. */
  async relieve(member: Member): Promise<void> {
    const { role } = member
    const there = this.ready(role).length
    this.#enlist(role)
    await until('the successor to be ready', () => this.#failed() || this.ready(role).length > there, 20_000)
    member.leave()
    await until('it to leave', () => member.state === 'ended', 60_000)
  }

  /** From now on nobody ends or stops by itself. */
  disarm(): void {
    this.#armed = false
    this.#arm(false)
    for (const member of this.stopped) member.signal('SIGCONT')
  }

  /** It says that it stops a moment before it does: one that is continued too early stops for ever. */
  async #stopping(member: Member): Promise<void> {
    await until('a process to stop', () => member.state === 'ended' || member.isStopped(), 20_000)
    this.stopped.add(member)
    // somebody has to be awake to take over
    this.#arm(false)
    if (!this.#armed) member.signal('SIGCONT')
  }

  #arm(armed: boolean): void {
    for (const member of this.#members) member.tell({ do: 'arm', armed })
  }

  async stop(): Promise<void> {
    this.#ending = true
    for (const spare of this.#spares.values()) spare.signal('SIGKILL')
    for (const member of this.#members) member.tell({ do: 'stop' })
    await until('every process to have stopped', () => this.#members.size === 0, 20_000).catch((error) => {
      this.odd.push(`${error}: ${[...this.#members].map(({ role, pid }) => `${role} ${pid}`).join(', ')}`)
    })
    await this.end()
  }

  /** At once, whatever they do. */
  async end(): Promise<void> {
    this.#ending = true
    for (const member of [...this.#members, ...this.#spares.values()]) member.signal('SIGKILL')
    await until('every process to be gone', () => this.#members.size + this.#spares.size === 0, 20_000)
  }

  #failed(): boolean {
    if (this.odd.length > 0) throw new Error(this.odd.join('\n'))
    return false
  }

  #enlist(role: Role): void {
    const member = this.#spares.get(role) ?? this.#make(role)
    this.#spares.delete(role)
    this.#members.add(member)
    member.go(this.#armed)
    if (this.#options.mortal.has(role)) this.#spares.set(role, this.#make(role))
  }

  #make(role: Role): Member {
    const { assignment, crash, random } = this.#options
    const plan = crash[role]
    const seed = Math.floor(random() * 2 ** 31)
    return new Member(
      this.#options.file,
      { ...assignment, role, seed, ...(plan && { crash: crashOf(plan, random) }) },
      {
        onNotice: (member, notice) => this.#heard(member, notice),
        onEnd: (member, code, signal) => this.#ended(member, code, signal),
      },
    )
  }

  #heard(member: Member, notice: Notice): void {
    switch (notice.is) {
      case 'redelivered':
        this.redelivered += 1
        return
      case 'returned':
        this.returned += 1
        return
      case 'lost':
        this.fenced += 1
        return
      case 'dead':
        this.dead += 1
        return
      case 'outage':
        this.outages += 1
        return
      case 'spent':
        this.spent.push(notice.what)
        return
      case 'stopping':
        this.#stopping(member).catch((error) => this.odd.push(String(error)))
        return
      case 'resumed':
        this.stopped.delete(member)
        this.resumed += 1
        this.#arm(this.#armed)
        return
      case 'odd':
        this.odd.push(notice.what)
        return
      case 'answered':
      case 'again':
      case 'undone':
      case 'refused':
        this.#options.onAnswer(notice, member)
    }
  }

  #ended(member: Member, code: number | null, signal: NodeJS.Signals | null): void {
    const worked = this.#members.delete(member)
    if (this.#spares.get(member.role) === member) this.#spares.delete(member.role)
    const left = member.leftAt > 0
    const expected = signal === 'SIGKILL' || code === POISONED || ((this.#ending || left) && code === 0)
    if (!expected) this.odd.push(`${member.role} ended with ${code ?? signal}: ${member.output}`)
    if (left) this.leaves.push(performance.now() - member.leftAt)
    if (!worked || this.#ending) return
    if (code === POISONED) this.poisoned += 1
    else if (!left) this.kills += 1
    this.#options.onKilled(member)
    if (expected && !left) this.#enlist(member.role)
  }
}

function crashOf({ points, following, within, stop }: CrashPlan, random: () => number): Crash {
  return {
    points,
    nth: 1 + Math.floor(random() * within),
    ...(following && { following }),
    ...(stop && { stop }),
  }
}
