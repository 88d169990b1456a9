import { join } from 'node:path'
import { ownFolder } from './account.ts'
import { cleanEnvironment, findBinary } from './binary.ts'
import { probe } from './probe.ts'
import type { Place, Program } from './program.ts'

/** A `mongod` from the PATH, as a replica set of one, so that it has transactions; undefined when there is none. */
export function findMongod(): Program | undefined {
  const server = findBinary('mongod', ['/opt/homebrew/bin'])
  if (!server) return undefined
  return {
    what: 'server',
    from: server,
    ports: ['port'],
    prepare: async ({ folder, account }) => ownFolder(join(folder, 'data'), account),
    launches: ({ folder, ports }) => [
      {
        role: 'server',
        command: server,
        args: ['--dbpath', join(folder, 'data'), '--bind_ip', '127.0.0.1', '--port', `${ports.port}`].concat([
          '--replSet',
          'rs0',
          '--nounixsocket',
          '--wiredTigerCacheSizeGB',
          '0.25',
        ]),
        env: cleanEnvironment(folder, server),
      },
    ],
    ready,
    url,
    stopSignal: 'SIGTERM',
    discardSignal: 'SIGKILL',
  }
}

function url({ ports }: Place): string {
  return `mongodb://127.0.0.1:${ports.port}/?directConnection=true`
}

// It takes clients before the set has chosen it, and writes only after; a fresh one has to be told that it is a set.
async function ready(place: Place): Promise<string | undefined> {
  const { MongoClient } = await import('mongodb')
  const client = new MongoClient(url(place), { serverSelectionTimeoutMS: 500 })
  try {
    const admin = client.db('admin')
    const { isWritablePrimary } = await admin.command({ hello: 1 })
    if (isWritablePrimary) return await probe('mongodb', url(place))
    const host = `127.0.0.1:${place.ports.port}`
    await admin.command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host }] } })
  } catch {
    // not there yet, or told already
  } finally {
    await client.close()
  }
  return undefined
}
