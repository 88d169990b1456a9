import { defineConfig } from 'vitest/config'

// Tests start processes as a user does in a terminal; under npm a second signal within 250 ms counts as an echo.
delete process.env.npm_lifecycle_event

// `obverse` means src/ here, in applications and adapters alike: tests need no build.
const conditions = ['source', 'module', 'node', 'development|production', 'import', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['source', 'node', 'import'] } },
  test: {
    include: ['test/**/*.test.ts', 'apps/**/*.test.ts', 'examples/**/*.test.ts'],
    // processes, not threads: tests kill and signal things, and SQLite files must have real owners
    pool: 'forks',
    execArgv: ['--conditions=source'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', './scripts/summary.ts'],
    typecheck: { enabled: true, checker: 'tsc', include: ['test/types/**/*.test-d.ts'] },
  },
})
