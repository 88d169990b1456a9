import type { FaultPoint } from 'obverse'
import type { Kind } from '../../scripts/servers/name.ts'
import type { Removed, Role } from './ledger/protocol.ts'
import type { Report } from './report.ts'

export type StackName = 'embedded' | 'servers'

/** Where the processes of a role end themselves: at one of `points`, the nth time, `nth` by chance up to `within`. */
export interface CrashPlan {
  readonly points: readonly FaultPoint[]
  /** Only where this point was passed since the last commit. */
  readonly following?: FaultPoint
  readonly within: number
  /** They stop, and are continued when others have taken over, in place of ending. */
  readonly stop?: boolean
}

/** What happens to a server while the load goes on. */
export interface Strike {
  readonly server: Kind
  /**
   * - `kill`: SIGKILL to all its processes, and a start after `ms`
   * - `freeze`: SIGSTOP for `ms`
   * - `terminate`: every session of the database is ended, and `ms` go by
   * - `unbind`: the queues lose their bindings; what was published before stays
   * - `delete`: the queues are deleted, at a moment at which nothing is in them
   * - `alarm`: publishers are blocked for `ms`, and a relay is asked to leave meanwhile
   * - `conflict`: a tenth of the rows written are refused with a serialization failure, until some were
   * - `cut`: a connection to it is reset after a random byte, on the way there or back
   * - `silence`: nothing arrives in one direction for `ms`, on any connection, and nobody is told
   */
  readonly how: 'kill' | 'freeze' | 'terminate' | 'unbind' | 'delete' | 'alarm' | 'conflict' | 'cut' | 'silence'
  readonly ms: number
  /** The whole server is struck, so that it has to be this run's alone. */
  readonly own: boolean
  /** It comes back empty. */
  readonly forgets?: boolean
}

/** The same scenario with a protection taken away: its own check must fail, or it proves nothing. */
export interface Canary {
  readonly without: readonly Removed[]
  readonly count: number
  /** Where processes end, if elsewhere than in the scenario. */
  readonly crash?: Scenario['crash']
  /** Default: those of the scenario. */
  readonly stacks?: readonly StackName[]
  /** Shown by a quicker scenario as well: run only when faults are asked for by name or number; so are those of a thorough scenario. */
  readonly thorough?: true
  /** What has to be seen, in words and as a look at the report. */
  readonly shows: string
  readonly seen: (report: Report) => boolean
}

/** Something that a report has to say besides that everything was exact. */
export interface Expectation {
  readonly says: string
  readonly holds: (report: Report) => boolean
}

/** Data, so that any runner can take it, with more faults or over more hours. */
export interface Scenario {
  /** For the command line. */
  readonly name: string
  /** What it shows of the faults in `numbers.ts`. */
  readonly numbers: readonly number[]
  readonly fault: string
  /** Default: both. */
  readonly stacks?: readonly StackName[]
  /** Faults before the load ends: kills, stops, restarts or strikes. */
  readonly count: number
  /** True: the messages go through a broker apart, so that a relay publishes. Otherwise the queue is in the store. */
  readonly broker?: boolean
  /** Queues among which the broker divides the keys. Default 1. */
  readonly partitions?: number
  readonly processes: Readonly<Partial<Record<Role, number>>>
  readonly crash?: Readonly<Partial<Record<Role, CrashPlan>>>
  /** Roles of which one process is killed every now and then. */
  readonly chance?: readonly Role[]
  /** Roles whose processes are asked to leave, one after the other. */
  readonly rolling?: readonly Role[]
  readonly strike?: Strike
  /** One message ends its process whenever it is handled. */
  readonly poison?: boolean
  /** The share of commands that fail after they have published; each is a fault. Default none. */
  readonly doomed?: number
  /** What handlers depend on goes away and comes back. */
  readonly dependency?: boolean
  /** Handlers give up many messages, which are sent to them again while who does so is killed. */
  readonly replay?: boolean
  /** Keys among which operations are divided. Default 9. */
  readonly keys?: number
  /** Messages that fail once, one of so many. Default 17. */
  readonly flaky?: number
  /** Operations that are sent at least, whatever the faults. Default 100. */
  readonly operations?: number
  /** Queued messages beyond which the senders wait. Default 40. */
  readonly backlog?: number
  /** How many more of them during a strike. Default none. */
  readonly room?: number
  /** Run only when faults are asked for by name or number. */
  readonly thorough?: true
  readonly expects?: readonly Expectation[]
  readonly canaries?: readonly Canary[]
}
