import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Instance } from './instance.ts'
import type { Kind } from './name.ts'
import { probe } from './probe.ts'
import { type ServerRecord, writeRecord } from './record.ts'
import { type Ran, run } from './run.ts'

const file = join(import.meta.dirname, '../../compose.yaml')

/** The ports that compose.yaml publishes, by the name of the variable that moves them. */
export const COMPOSE_PORTS: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  postgres: { port: 'OBVERSE_POSTGRES_PORT' },
  rabbitmq: { port: 'OBVERSE_RABBITMQ_PORT', management: 'OBVERSE_RABBITMQ_MANAGEMENT_PORT' },
  mongodb: { port: 'OBVERSE_MONGODB_PORT' },
}

/** Whether Docker Compose is there and its daemon answers. */
export async function composeAnswers(): Promise<boolean> {
  const looks = [
    ['compose', 'version'],
    ['info', '--format', '{{.ServerVersion}}'],
  ]
  for (const args of looks) {
    if ((await run('docker', args, { check: false, timeout: 10_000 })).code !== 0) return false
  }
  return true
}

export function composeUrls(kind: Kind, ports: ServerRecord['ports']): { url: string; management?: string } {
  if (kind === 'postgres') return { url: `postgres://postgres:postgres@127.0.0.1:${ports.port}/postgres` }
  if (kind === 'mongodb') return { url: `mongodb://127.0.0.1:${ports.port}/?directConnection=true` }
  const management = `http://obverse:obverse@127.0.0.1:${ports.management}`
  return { url: `amqp://obverse:obverse@127.0.0.1:${ports.port}`, management }
}

/** An instance of one service of compose.yaml, as a Compose project of its own on ports of its own. */
export class ComposeInstance implements Instance {
  record: ServerRecord
  readonly #folder: string

  constructor(folder: string, record: ServerRecord) {
    this.#folder = folder
    this.record = record
  }

  async isUp(): Promise<boolean> {
    const { stdout } = await this.#compose('ps', '--status', 'running', '--services')
    return stdout.split('\n').includes(this.record.kind)
  }

  async start(): Promise<void> {
    const began = performance.now()
    writeRecord(this.#folder, this.record) // a project that is cut short in its start is found by `down`
    await this.#compose('up', '--detach', '--wait', this.record.kind)
    const version = await probe(this.record.kind, this.record.url)
    this.record = { ...this.record, version, startedIn: Math.round(performance.now() - began) }
    writeRecord(this.#folder, this.record)
  }

  async stop(): Promise<void> {
    await this.#compose('stop', this.record.kind)
  }

  async kill9(): Promise<void> {
    await this.#compose('kill', '--signal', 'SIGKILL', this.record.kind)
  }

  async pause(): Promise<void> {
    await this.#compose('pause', this.record.kind)
  }

  async resume(): Promise<void> {
    await this.#compose('unpause', this.record.kind)
  }

  async discard(): Promise<void> {
    await this.resume().catch(() => {}) // a paused container cannot be stopped; others cannot be resumed
    await this.#compose('down', '--volumes', '--timeout', '0')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #compose(...args: string[]): Promise<Ran> {
    const project = `obverse-${createHash('sha256').update(this.#folder).digest('hex').slice(0, 12)}`
    const ports = Object.entries(COMPOSE_PORTS[this.record.kind]).map(([port, name]) => [
      name,
      `${this.record.ports[port]}`,
    ])
    const env = { ...process.env, ...Object.fromEntries(ports) }
    return run('docker', ['compose', '--file', file, '--project-name', project, ...args], { env })
  }
}
