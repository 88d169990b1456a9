import type { Kind } from '../../scripts/servers/name.ts'
import type { OwnServer } from '../servers.ts'
import type { Stores } from './ledger/stores.ts'
import type { ViewName } from './ledger/views.ts'
import type { Scenario, StackName } from './scenario.ts'
import type { Link } from './servers/link.ts'
import type { Sql } from './sql.ts'

/** What a scenario is run on. */
export interface Stack {
  readonly name: StackName
  /** The file in `ledger` that its processes run. */
  readonly program: string
  /** Of what it consists, with versions. */
  readonly versions: string
  /** Everything that a run needs, new and empty. */
  open(scenario: Scenario): Promise<Stage>
}

/** The stores of one run, seen from beside the toolkit. */
export interface Stage {
  readonly stores: Stores
  /** The application's tables, the log, what is held. */
  readonly store: Sql
  /** Where the rows of queue and outbox are: the store, and the file of the broker if there is one. */
  readonly queues: readonly Sql[]
  /** Messages that wait in a broker that is no database, by queue. */
  waiting(): Promise<ReadonlyMap<string, number>>
  view(name: ViewName): Promise<readonly ViewRow[]>
  /** How far projections have come. */
  checkpoints(): Promise<ReadonlyMap<string, number>>
  /** The HTTP API of the broker. */
  readonly management?: string
  /** Servers that are this run's to strike. */
  readonly struck: Readonly<Partial<Record<Kind, OwnServer>>>
  /** Ways to servers that are this run's to cut and silence; its processes use them, whoever looks from beside does not. */
  readonly links: Readonly<Partial<Record<Kind, Link>>>
  /** Removes everything, unless it is to be kept; then says where it is. */
  close(keep: boolean): Promise<string>
}

export interface ViewRow {
  readonly id: string
  readonly count: number
  readonly total: number
}
