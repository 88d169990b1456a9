import { appendFileSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ownFile } from './account.ts'
import { cleanEnvironment, findBinary, newestFirst } from './binary.ts'
import { ask } from './port.ts'
import { holdsPid } from './process.ts'
import type { Place, Program } from './program.ts'
import { run } from './run.ts'

/** PostgreSQL from the PATH or from where packages put it, the newest first; undefined when there is none. */
export async function findPostgres(): Promise<Program | undefined> {
  const folders = ['/usr/lib/postgresql/*/bin', '/usr/pgsql-*/bin', '/opt/homebrew/opt/postgresql@*/bin'].flatMap(
    newestFirst,
  )
  const server = findBinary('postgres', folders)
  const bin = server && dirname(server)
  const initdb = bin && findBinary('initdb', [bin], '')
  if (!bin || !initdb) return undefined
  const { stdout } = await run(server, ['--version'])
  const version = /\d+(\.\d+)*\S*/.exec(stdout)?.[0] ?? 'unknown'
  return {
    what: 'server',
    from: bin,
    ports: ['port'],
    prepare: (place) => prepare(place, initdb),
    beforeStart: dropStaleLock,
    launches: (place) => [
      { role: 'server', command: server, args: ['-D', data(place)], env: cleanEnvironment(place.folder, server) },
    ],
    ready: async (place) => ((await takesClients(place)) ? version : undefined),
    url: ({ ports, secret }) => `postgres://postgres:${secret}@127.0.0.1:${ports.port}/postgres`,
    stopSignal: 'SIGINT', // "fast": SIGTERM would wait for clients for ever
    discardSignal: 'SIGQUIT', // gives back its shared memory, which SIGKILL would leave in the system
  }
}

function data(place: Place): string {
  return join(place.folder, 'data')
}

async function prepare(place: Place, initdb: string): Promise<void> {
  const { folder, account, ports, secret } = place
  const password = join(folder, 'password')
  ownFile(password, secret, account)
  const env = cleanEnvironment(folder, initdb)
  const options = [
    '-U',
    'postgres',
    '-A',
    'password',
    `--pwfile=${password}`,
    '-E',
    'UTF8',
    `--locale=${env.LANG}`,
    '-N',
  ]
  await run(initdb, ['-D', data(place), ...options], { env, cwd: folder, account })
  appendFileSync(
    join(data(place), 'postgresql.conf'),
    `
listen_addresses = '127.0.0.1'
port = ${ports.port}
unix_socket_directories = ''
dynamic_shared_memory_type = mmap
shared_buffers = 64MB
max_connections = 200
wal_level = logical
max_wal_senders = 20
max_replication_slots = 20
max_prepared_transactions = 20
log_min_messages = warning
timezone = 'UTC'
`,
  )
}

/**
 * A killed server's lock file names a pid. Where pid 1 reaps slowly, as in containers, that pid is a zombie for a
 * while, and PostgreSQL takes the file for a living server's.
 */
async function dropStaleLock(place: Place): Promise<void> {
  const file = join(data(place), 'postmaster.pid')
  for (let waited = 0; waited < 1_500; waited += 50) {
    const pid = pidIn(file)
    if (pid === undefined || !(await holdsPid(pid))) return // it finds out by itself, and gives back the shared memory
    await sleep(50)
  }
  rmSync(file, { force: true })
}

function pidIn(file: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10)
  } catch {
    return undefined
  }
}

// A TCP connection succeeds while it recovers; the answer to a start-up message tells: R (authenticate) or E (not yet).
async function takesClients({ ports }: Place): Promise<boolean> {
  const body = Buffer.from('user\0postgres\0database\0postgres\0\0')
  const message = Buffer.alloc(8 + body.length)
  message.writeInt32BE(message.length, 0)
  message.writeInt32BE(196_608, 4) // protocol 3.0
  body.copy(message, 8)
  return (await ask(ports.port ?? 0, message, ([type]) => type === 0x52)) === true
}
