// Kills of real processes on one SQLite file, counted.
import { embedded } from './embedded/stack.ts'
import { suite } from './suite.ts'

suite({
  stack: embedded,
  countOf: ({ count }) => count,
  // two at once: while one waits for the disk, the other works
  lineOf: (_, turn) => `line ${turn % 2}`,
})
