// The arrows: who may import whom, in the order a message travels. `npm run check` prints the name and the reason
// of a rule that an import breaks; test/repo/arrows.test.ts proves that each of them can fail.
import manifest from './package.json' with { type: 'json' }

// What a stranger can import by name: the `source` side of every entry in package.json.
const entries = Object.values(manifest.exports)
  .filter((entry) => typeof entry === 'object')
  .map(({ source }) => `^${source.replace('./', '').replaceAll('.', '\\.')}$`)
const FRONT_DOOR = '^src/index\\.ts$'
const ERRORS = '^src/errors\\.ts$'
const MESSAGE = '^src/message/'
const RUNTIME = '^src/runtime/'
const SIDES = '^src/(write|wire|read)/'

// Optional peers, each known to the adapter of the same job alone. A new adapter with a driver adds a line.
const drivers = { fastify: 'fastify', kysely: 'kysely', postgres: 'pg', rabbitmq: 'amqplib', mongodb: 'mongodb' }
const installed = (name = '') => `(^|/)node_modules/${name}`

/** Of our own files, those under `from` may import `allowed` and nothing else. */
const only = (name, comment, from, ...allowed) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^(src|apps)/', pathNot: allowed },
})

/** The same for a folder of the core: itself and errors.ts are always allowed. */
const folder = (name, comment, path, ...allowed) => only(name, comment, path, path, ERRORS, ...allowed)

/** A relative path into the core works here and nowhere else; the package's name works for everybody. */
const byName = (from, own) => ({
  name: 'import-obverse-by-name',
  comment: 'what users would import by name is imported by name, so that a stranger could have written the file',
  severity: 'error',
  from: { path: from },
  // the cruiser calls an import by path `local`, and the same file by the package's name not
  to: { path: '^src/', pathNot: own, dependencyTypes: ['local'] },
})

const AROUND = ['testing', 'cli', 'decorators', 'console']

const forbidden = [
  only('errors-imports-nothing', 'errors.ts is the bottom: every file may import it, so it imports none', ERRORS),
  folder('message-is-a-leaf', 'what travels is readable without knowing who sends or receives it', MESSAGE),
  folder('runtime-is-a-leaf', 'time, retry and pipeline know nothing of messages, so everything can use them', RUNTIME),
  folder(
    'write-stands-alone',
    'commands are accepted with no broker and no read side',
    '^src/write/',
    MESSAGE,
    RUNTIME,
  ),
  folder('wire-stands-alone', 'transport knows envelopes, not command buses or views', '^src/wire/', MESSAGE, RUNTIME),
  folder('read-stands-alone', 'the query side sees events, never who wrote them', '^src/read/', MESSAGE, RUNTIME),
  folder(
    'process-stands-alone',
    'a process manager reacts to events and sends commands; it has no way around them',
    '^src/process/',
    MESSAGE,
    RUNTIME,
    '^src/write/',
  ),
  folder(
    'observe-wraps-ports',
    'watching is a decorator around a port or a handler, never code inside one',
    '^src/observe/',
    MESSAGE,
    RUNTIME,
    SIDES,
  ),
  {
    name: 'only-app-joins',
    comment: 'write, wire and read meet in app.ts; the front door, store.ts and operate.ts name what it joined',
    severity: 'error',
    from: {
      path: '^src/',
      pathNot: [
        '^src/((app|index|store|operate)\\.ts$|app/)',
        // these have a rule of their own
        `^src/(errors\\.ts$|(message|runtime|write|wire|read|process|observe|memory|adapters|${AROUND.join('|')})/)`,
      ],
    },
    to: { path: '^src/(write|wire|read|process|observe)/' },
  },
  {
    name: 'core-names-no-adapter',
    comment: 'adapters and tools are chosen by the application; the core sees ports',
    severity: 'error',
    from: { path: '^src/([^/]+\\.ts$|app/)', pathNot: ERRORS },
    to: { path: `^(apps|src/(memory|adapters|${AROUND.join('|')}))/` },
  },
  only(
    'memory-is-only-ports',
    'the reference implementation needs the front door alone, or the ports are not enough for a stranger',
    '^src/memory/',
    FRONT_DOOR,
    '^src/memory/',
  ),
  only(
    'adapters-use-the-front-door',
    'an adapter is written as a stranger would write it, or no stranger can write one',
    '^src/adapters/',
    FRONT_DOOR,
    '^src/adapters/',
  ),
  {
    name: 'no-adapter-imports-another',
    comment: 'each can be deleted without a trace in the others; what the SQL three share is in adapters/_sql',
    severity: 'error',
    from: { path: '^src/adapters/([^/]+)/' },
    to: { path: '^src/adapters/', pathNot: ['^src/adapters/$1/', '^src/adapters/_sql/'] },
  },
  ...AROUND.map((name) =>
    only(
      'around-the-core',
      'tools use what users use, so that users can write their own',
      `^src/${name}/`,
      `^src/${name}/`,
      ...entries,
    ),
  ),
  only(
    'apps-are-strangers',
    'applications are examples: what they need and cannot reach, users cannot reach either',
    '^apps/([^/]+)/',
    '^apps/$1/',
    ...entries,
  ),
  // start.ts and its like stand beside the applications and may start any of them
  only(
    'apps-are-strangers',
    'applications and what starts them use public entries',
    '^apps/[^/]+$',
    '^apps/',
    ...entries,
  ),
  byName(`^src/(memory|${AROUND.join('|')})/`, '^src/$1/'),
  byName('^src/adapters/', '^src/adapters/'),
  byName('^apps/', '^apps/'),
  {
    name: 'nothing-to-install',
    comment: 'the package has no dependencies: a driver is an optional peer, imported by its own adapter',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: installed(), pathNot: Object.values(drivers).map((driver) => installed(`${driver}/`)) },
  },
  ...Object.entries(drivers).map(([adapter, driver]) => ({
    name: 'a-driver-stays-in-its-adapter',
    comment: 'whoever does not use an adapter need not install its driver',
    severity: 'error',
    from: { path: '^src/', pathNot: `^src/adapters/${adapter}/` },
    to: { path: installed(`${driver}/`) },
  })),
  {
    name: 'no-unresolved',
    comment: 'an arrow that leads nowhere was not checked',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'no-circular',
    comment: 'two files that need each other are one file, or miss a third',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
]

export default {
  forbidden,
  options: {
    // TypeScript 7 has no API for the cruiser to parse with: with only that installed it sees no file and reports
    // no violation. So it parses with swc, and scripts/arrows.ts compares what it saw with what is there.
    parser: 'swc',
    tsPreCompilationDeps: true, // a type-only import is an arrow too
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'node', 'default'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
}
