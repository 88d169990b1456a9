import type { Finding, ViewShape } from 'obverse'
import type { Connection } from './connection.ts'
import { examineIndexes } from './examine-indexes.ts'
import { examineRights } from './examine-rights.ts'
import { kindOf } from './health.ts'
import { readServer, readVersion, type Server } from './server.ts'

/** Milliseconds by which two clocks may differ before somebody should know. */
const CLOCKS = 5_000
const VERSIONS = { first: 5, last: 8 } as const

/** Looks at the server and at the collections of `shapes`, and says of what differs how to mend it. */
export async function examine(connection: Connection, shapes: readonly ViewShape[]): Promise<readonly Finding[]> {
  const { db, runtime } = connection
  const before = runtime.now()
  const server = await readServer(db)
  const asked = (before + runtime.now()) / 2
  const findings = [
    version(await readVersion(db)),
    topology(server),
    ...clock(server, asked),
    ...(await examineRights(connection)),
  ]
  for (const shape of shapes) findings.push(...(await examineIndexes(connection, shape)))
  return findings
}

function version(text: string): Finding {
  const subject = 'mongodb version'
  const major = Number.parseInt(text, 10)
  if (major >= VERSIONS.first && major <= VERSIONS.last) return { level: 'ok', subject, says: text }
  const known = `${VERSIONS.first}.0 to ${VERSIONS.last}.x`
  return {
    level: major < VERSIONS.first ? 'error' : 'warning',
    subject,
    says: `${text}; this adapter was written for ${known}`,
    remedy: major < VERSIONS.first ? 'Upgrade the server' : 'Look for a newer version of Obverse, or go back to 8',
  }
}

function topology(server: Server): Finding {
  const subject = 'mongodb server'
  const says = kindOf(server)
  if (!server.writable) {
    const remedy =
      server.set === undefined
        ? 'Run rs.initiate() in mongosh: the server was started as a replica set and knows of none'
        : 'Look at rs.status() in mongosh: the set has no primary, or the URL leads to another member'
    return { level: 'error', subject, says: `${says} that takes no writes`, remedy }
  }
  const durable =
    server.kind === 'single server'
      ? 'writes are acknowledged from its journal; a replica set would also survive its disk'
      : 'writes are acknowledged by most members'
  return { level: 'ok', subject, says: `${says}: ${durable}` }
}

function clock({ time }: Server, asked: number): readonly Finding[] {
  if (time === undefined) return []
  const subject = 'mongodb clock'
  const apart = Math.abs(time - asked)
  if (apart <= CLOCKS) return [{ level: 'ok', subject, says: `${Math.round(apart)} ms from ours` }]
  const says = `${(apart / 1000).toFixed(1)} s from ours`
  return [{ level: 'warning', subject, says, remedy: 'Let both machines set their clocks by the network (NTP)' }]
}
