// rabbitmqctl of a server that a test started, by what its own process was started with.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Runs rabbitmqctl for the server on `url`; undefined where that cannot be found out: it needs Linux and the server's account, or root. */
export function control(url: string): ((...args: string[]) => Promise<string>) | undefined {
  const listener = `listeners.tcp.1 = 127.0.0.1:${new URL(url).port}`
  for (const pid of processes()) {
    try {
      if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== 'beam.smp') continue
      const env = environmentOf(pid)
      if (!readFileSync(env.RABBITMQ_CONFIG_FILE ?? '', 'utf8').includes(listener)) continue
      const { uid, gid } = statSync(`/proc/${pid}`)
      const [command, before, account] = entrance(pid, uid, gid)
      return async (...args) => (await run(command, [...before, ...args], { env, timeout: 30_000, ...account })).stdout
    } catch {
      // somebody else's, or it has just ended
    }
  }
  return undefined
}

function processes(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

function environmentOf(pid: string): NodeJS.ProcessEnv {
  const lines = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  return Object.fromEntries(
    lines.flatMap((line) => (line.includes('=') ? [[line.split('=')[0], line.replace(/^.*?=/, '')]] : [])),
  )
}

/** A server that lives in another root is spoken to from there. */
function entrance(
  pid: string,
  uid: number,
  gid: number,
): readonly [string, readonly string[], { uid?: number; gid?: number }] {
  const command = '/usr/lib/rabbitmq/bin/rabbitmqctl'
  const elsewhere = statSync(`/proc/${pid}/root/`).ino !== statSync('/').ino
  if (!elsewhere) return [command, [], process.getuid?.() === 0 ? { uid, gid } : {}]
  return [
    'nsenter',
    [
      '--target',
      pid,
      '--mount',
      '--root',
      '--setuid',
      String(uid),
      '--setgid',
      String(gid),
      'sh',
      '-c',
      'cd / && exec "$@"',
      'sh',
      command,
    ],
    {},
  ]
}
