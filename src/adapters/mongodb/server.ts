import type { Db, Document, ReadConcernLike, WriteConcernSettings } from 'mongodb'
import { codeOf } from './errors.ts'

/** Milliseconds that a write waits for the members of a replica set. */
const REPLICATED = 10_000
/** The wire protocol of MongoDB 5.0. */
const OLDEST_WIRE = 13
const COMMAND_NOT_FOUND = 59

/** What a server says of itself. */
export interface Server {
  readonly kind: 'single server' | 'replica set' | 'sharded cluster'
  /** Of the replica set. */
  readonly set?: string
  /** Takes writes; false: a secondary, or a set without a primary. */
  readonly writable: boolean
  /** 5.0 or newer. */
  readonly known: boolean
  /** Its clock, milliseconds since 1970. */
  readonly time?: number
  /** Bytes of one document. */
  readonly largestDocument: number
}

export async function readServer(db: Db): Promise<Server> {
  const said = await hello(db)
  const set = typeof said.setName === 'string' ? said.setName : undefined
  return {
    kind: said.msg === 'isdbgrid' ? 'sharded cluster' : set || said.isreplicaset ? 'replica set' : 'single server',
    ...(set !== undefined && { set }),
    writable: said.isWritablePrimary === true || said.ismaster === true,
    known: Number(said.maxWireVersion) >= OLDEST_WIRE,
    ...(said.localTime instanceof Date && { time: said.localTime.getTime() }),
    largestDocument: Number(said.maxBsonObjectSize ?? 16 * 1024 * 1024),
  }
}

/** `hello`, or its name before 5.0, which servers that only speak the protocol may have alone. */
async function hello(db: Db): Promise<Document> {
  const options = { promoteValues: true }
  try {
    return await db.admin().command({ hello: 1 }, options)
  } catch (error) {
    if (codeOf(error) !== COMMAND_NOT_FOUND) throw error
    return db.admin().command({ isMaster: 1 }, options)
  }
}

/** An acknowledged write survives: on a set in most members, on a single server in its journal. */
export function writeConcern({ kind }: Server): WriteConcernSettings {
  return kind === 'single server' ? { w: 1, journal: true } : { w: 'majority', wtimeoutMS: REPLICATED }
}

/** What was read is not rolled back by a failover. */
export function readConcern({ kind }: Server): ReadConcernLike {
  return { level: kind === 'single server' ? 'local' : 'majority' }
}

/** `7.0.12`, or `unknown` where the server does not tell. Others that speak its protocol do not say what they were built from. */
export async function readVersion(db: Db): Promise<string> {
  try {
    const { version, gitVersion } = await db.admin().command({ buildInfo: 1 }, { promoteValues: true })
    const text = typeof version === 'string' ? version : 'unknown'
    return typeof gitVersion === 'string' ? text : `${text} of another product`
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    return 'unknown'
  }
}
