import { createHash } from 'node:crypto'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cleanEnvironment, findBinary } from './binary.ts'
import { withLock } from './lock.ts'
import { probe } from './probe.ts'
import type { Place, Program } from './program.ts'
import { run } from './run.ts'

const source = join(import.meta.dirname, 'mongodb-stand-in')
const SOURCES = ['StandIn.java', 'ById.java']
const cache = join(import.meta.dirname, '../../node_modules/.cache/obverse-servers')

/**
 * mongo-java-server, built here with Maven; undefined without Java or Maven.
 *
 * With a file (H2's MVStore) it acknowledges a write after committing it, and commits only between commands. Tried with
 * 16 clients: guarded updates in any order, compare-and-set and racing upserts stayed exact. Tried with 8 writers and 50
 * times SIGKILL: none of 15,000 acknowledged writes was lost, bulk ones included, and unique indexes agreed with the
 * documents; without the commits half were lost. Some thousand guarded updates a second, by the index of `_id` that ById.java
 * lets it use: no figure for a bench.
 * Neither has sessions, transactions, `$text`, update pipelines, validators, change streams or the effect of a TTL.
 */
export function findStandIn(memory: boolean): Program | undefined {
  const [java, javac, mvn] = ['java', 'javac', 'mvn'].map((name) => findBinary(name))
  if (!java || !javac || !mvn) return undefined
  return {
    what: 'stand-in',
    from: memory ? 'mongo-java-server in memory: empty after a stop' : 'mongo-java-server on a file',
    ports: ['port'],
    async prepare({ folder }) {
      // Copied, since the account may not get into this repository.
      cpSync(await build(mvn, javac), join(folder, 'program'), { recursive: true })
    },
    launches: (place) => [
      {
        role: 'server',
        command: java,
        args: [
          '-Xmx512m',
          '-XX:+UseSerialGC',
          '-XX:TieredStopAtLevel=1',
          '-cp',
          'program/lib/*:program',
          'StandIn',
          `${place.ports.port}`,
        ].concat(memory ? [] : ['data/store']),
        env: cleanEnvironment(place.folder, java),
      },
    ],
    ready: (place) => probe('mongodb', url(place)).catch(() => undefined),
    url,
    stopSignal: 'SIGTERM',
    discardSignal: 'SIGKILL',
  }
}

function url({ ports }: Place): string {
  return `mongodb://127.0.0.1:${ports.port}`
}

/** The folder of the compiled program and its libraries; made once for each version of the source. */
async function build(mvn: string, javac: string): Promise<string> {
  const hash = createHash('sha256')
  for (const name of ['pom.xml', ...SOURCES]) hash.update(readFileSync(join(source, name)))
  const built = join(cache, `mongodb-stand-in-${hash.digest('hex').slice(0, 12)}`)
  mkdirSync(cache, { recursive: true })
  return withLock(join(cache, 'build.lock'), async () => {
    if (existsSync(built)) return built
    const fresh = mkdtempSync(join(cache, 'building-'))
    try {
      const lib = join(fresh, 'lib')
      const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${lib}`]
      await run(mvn, ['-q', '-B', '-f', join(source, 'pom.xml'), ...goal], { timeout: 300_000 })
      await run(javac, ['-d', fresh, '-cp', join(lib, '*'), ...SOURCES.map((name) => join(source, name))], {
        timeout: 120_000,
      })
      chmodSync(fresh, 0o755)
      renameSync(fresh, built)
      return built
    } finally {
      rmSync(fresh, { recursive: true, force: true })
    }
  })
}
