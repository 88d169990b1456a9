import type { FaultPoint, Protection } from 'obverse'
import type { Role } from './ledger/protocol.ts'
import type { Report } from './report.ts'

/** Where the processes of a role end themselves: at one of `points`, the nth time, `nth` by chance up to `within`. */
export interface CrashPlan {
  readonly points: readonly FaultPoint[]
  /** Only where this point was passed since the last commit. */
  readonly following?: FaultPoint
  readonly within: number
  /** They stop, and are continued when others have taken over, in place of ending. */
  readonly stop?: boolean
}

/** The same scenario with a protection taken away: its own check must fail, or it proves nothing. */
export interface Canary {
  readonly without: readonly Protection[]
  readonly kills: number
  /** Where processes end, if elsewhere than in the scenario. */
  readonly crash?: Scenario['crash']
  /** What has to be seen, in words and as a look at the report. */
  readonly shows: string
  readonly seen: (report: Report) => boolean
}

/** Data, so that any runner can take it, with more kills or over more hours. */
export interface Scenario {
  readonly name: string
  /** Kills, or stops, before the load ends. */
  readonly kills: number
  /** True: the messages go through a broker in a file of its own, so that a relay publishes. */
  readonly broker?: boolean
  readonly processes: Readonly<Partial<Record<Role, number>>>
  readonly crash?: Readonly<Partial<Record<Role, CrashPlan>>>
  /** Roles of which one process is killed every now and then. */
  readonly chance?: readonly Role[]
  /** One message ends its process whenever it is handled. */
  readonly poison?: boolean
  /** Messages that fail once, one of so many. Default 17. */
  readonly flaky?: number
  /** Operations that are sent at least, whatever the kills. Default 100. */
  readonly operations?: number
  readonly canaries?: readonly Canary[]
}
