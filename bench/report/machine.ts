import { cpus, platform, totalmem } from 'node:os'

/** On what something was measured, in words that name nobody's machine. */
export interface Machine {
  readonly cores: number
  readonly processor: string
  /** GiB. */
  readonly memory: number
  readonly system: string
  readonly node: string
  /** Microseconds of one 4 KB write with fsync. */
  readonly fsync: number
  /** As `PostgreSQL 15.9`; those that the question needed. */
  readonly servers: readonly string[]
}

export function thisMachine(fsync: number, servers: readonly string[]): Machine {
  const processors = cpus()
  return {
    cores: processors.length,
    processor: processors[0]?.model.trim() ?? 'unknown processor',
    memory: Math.round(totalmem() / 2 ** 30),
    system: platform(),
    node: process.version,
    fsync,
    servers,
  }
}
