import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Tests start processes as a user does in a terminal; under npm a second signal within 250 ms counts as an echo.
delete process.env.npm_lifecycle_event

// `obverse` means src/ here, in applications and adapters alike: tests need no build. Vitest hands these to Node as well,
// where they hold for `require` too: with `import` or `module` among them, drivers in CommonJS would get half of themselves.
const conditions = ['source', 'node', 'development|production']

/** Servers that are struck take longest and mostly wait: first, so that everything else runs beside them; then what else takes minutes. */
const LONGEST = [
  'test/faults/servers.test.ts',
  'apps/orders/test/events.test.ts',
  'test/faults/embedded.test.ts',
  'test/bounds/messages.test.ts',
  'test/adapters/postgres.test.ts',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = LONGEST.findIndex((name) => moduleId.endsWith(name))
      return found < 0 ? LONGEST.length : found
    }
    return (await super.sort(files)).sort((a, b) => place(a) - place(b))
  }
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['test/**/*.test.ts', 'apps/**/*.test.ts', 'examples/**/*.test.ts'],
    // processes, not threads: tests kill and signal things, and SQLite files must have real owners
    pool: 'forks',
    execArgv: ['--conditions=source'],
    // most tests wait for a server or a process, not for the processor
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // where servers are required the machine is shared with them: what fails once is run again, and its failure printed
    retry: process.env.OBVERSE_TEST_REQUIRE === '1' ? 1 : 0,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // costs a folder; servers start when a file asks for one, and end with the run
    globalSetup: ['./test/servers/global.ts'],
    reporters: ['default', './test/servers/reporter.ts', './scripts/summary.ts'],
    typecheck: { enabled: true, checker: 'tsc', include: ['test/types/**/*.test-d.ts'] },
  },
})
