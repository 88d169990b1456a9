// What Docker is told, as far as that can be checked without its daemon.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { COMPOSE_PORTS } from '../../scripts/servers/compose.ts'
import { note } from '../servers/place.ts'
import { filesInGit, manifest, root } from './root.ts'

const compose = (...args: string[]) => spawnSync('docker', ['compose', ...args], { cwd: root, encoding: 'utf8' })
const missing = compose('version').status !== 0
if (missing) note('skipped: what checks compose.yaml, because there is no `docker compose` here.')

interface Service {
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly ports?: readonly { readonly host_ip: string; readonly published: string }[]
  readonly profiles?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly container_name?: string
}

function services(args: readonly string[] = [], env: Record<string, string> = {}): Record<string, Service> {
  const { status, stdout, stderr } = spawnSync('docker', ['compose', ...args, 'config', '--format', 'json'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  expect(status, stderr).toBe(0)
  return JSON.parse(stdout).services
}

describe.skipIf(missing)('compose.yaml', () => {
  it('has the servers, each with a health check, on loopback', () => {
    const found = services()
    expect(Object.keys(found).sort()).toEqual(['mongodb', 'postgres', 'rabbitmq'])
    for (const { healthcheck, ports = [] } of Object.values(found)) {
      expect(healthcheck?.test.length).toBeGreaterThan(0)
      expect(ports.map(({ host_ip }) => host_ip)).not.toEqual([])
      expect(new Set(ports.map(({ host_ip }) => host_ip))).toEqual(new Set(['127.0.0.1']))
    }
  })

  it('moves every port by the variable that the servers for tests use', () => {
    const names = Object.values(COMPOSE_PORTS).flatMap((ports) => Object.values(ports))
    const moved = Object.fromEntries(names.map((name, at) => [name, String(40_000 + at)]))
    const published = Object.values(services([], moved)).flatMap(({ ports = [] }) =>
      ports.map((port) => port.published),
    )
    expect(published.sort()).toEqual(Object.values(moved).sort())
  })

  it('has the orders as a profile, after healthy servers, and consumers can be scaled', () => {
    const found = services(['--profile', 'orders'])
    for (const role of ['api', 'relay', 'consumer']) {
      expect(found[role]?.profiles).toEqual(['orders'])
      const conditions = Object.values(found[role]?.depends_on ?? {}).map(({ condition }) => condition)
      expect(conditions).toEqual(['service_healthy', 'service_healthy', 'service_healthy'])
    }
    expect(found.consumer).not.toHaveProperty('container_name')
    expect(found.consumer).not.toHaveProperty('ports')
  })
})

describe('Dockerfile', () => {
  it('installs what the applications import', () => {
    const kept = new Set([...Object.keys(manifest.peerDependencies), 'zod', manifest.name])
    const files = filesInGit('src/*.ts', 'apps/*.ts').filter((file) => !/\/test\/|\.test\.ts$/.test(file))
    const imported = files.flatMap((file) => {
      const code = readFileSync(join(root, file), 'utf8').replace(/^\s*(?:import|export) type .*$/gm, '')
      const imports = code.matchAll(
        /^(?:import|export)\b[^'"]*?from '([^'.][^']*)'|^import '([^'.][^']*)'|\bimport\('([^'.][^']*)'\)/gm,
      )
      return [...imports].map(([, from, bare, dynamic]) => ({
        file,
        name: (from ?? bare ?? dynamic ?? '').replace(/^((?:@[^/]+\/)?[^/]+).*/, '$1'),
      }))
    })
    expect(imported.length).toBeGreaterThan(50)
    expect(imported.filter(({ name }) => !isBuiltin(name) && !kept.has(name))).toEqual([])
  })

  it('copies nothing that .dockerignore keeps out', () => {
    const copied = [...readFileSync(join(root, 'Dockerfile'), 'utf8').matchAll(/^COPY (?!--from)(.*) \S+$/gm)]
    const sent = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
    const sources = copied.flatMap(([, names]) => (names as string).split(' '))
    expect(sources.length).toBeGreaterThan(3)
    expect(sources.filter((source) => !sent.includes(`!${source}`))).toEqual([])
  })
})
