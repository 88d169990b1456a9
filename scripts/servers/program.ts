import type { Account } from './account.ts'

/** Where one instance lives. */
export interface Place {
  /** Its own folder, which the account can enter; gone with the instance. */
  readonly folder: string
  readonly ports: Readonly<Record<string, number>>
  readonly account: Account | undefined
  /** A password for it alone: other users of the machine reach loopback too. */
  readonly secret: string
}

export interface Launch {
  /** What it is in the instance; the one called `server` is the server. */
  readonly role: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Only for what has to become the account by itself. */
  readonly asRoot?: boolean
}

/** How to run one kind of server from programs on this machine. */
export interface Program {
  /** `stand-in` speaks the protocol and is another product. */
  readonly what: 'server' | 'stand-in'
  /** Where it was found, for people. */
  readonly from: string
  /** Names of the ports it needs. */
  readonly ports: readonly string[]
  /** Once: makes its data folder and configuration. */
  prepare(place: Place): Promise<void>
  /** Before each start. */
  beforeStart?(place: Place): Promise<void>
  /** In the order of starting; each but the last must be ready within `companionReady`. */
  launches(place: Place): readonly Launch[]
  companionReady?(place: Place): Promise<boolean>
  /** The version, as soon as it takes clients. */
  ready(place: Place): Promise<string | undefined>
  /** A process that its launch hides, known once it is ready. */
  hiddenPid?(place: Place): number
  url(place: Place): string
  /** Where its HTTP API is, credentials included. */
  management?(place: Place): string
  /** Makes a clean stop quicker; may fail. */
  beforeStop?(place: Place): Promise<void>
  /** A clean stop, clients or not. */
  readonly stopSignal: NodeJS.Signals
  /** The quickest end that leaves nothing outside the folder; its data is not needed any more. */
  readonly discardSignal: NodeJS.Signals
}
