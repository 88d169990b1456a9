// The last line of a run in a form that both people and scripts read, and a failure when nothing ran:
// a suite that is skipped as a whole looks green otherwise.
import type { Reporter, TestModule } from 'vitest/node'

export default class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const count = (state: 'passed' | 'failed'): number =>
      modules.reduce((sum, module) => sum + [...module.children.allTests(state)].length, 0)
    // a file that cannot be loaded has no tests to fail
    const broken = modules.filter((module) => module.errors().length > 0).length
    const passed = count('passed')
    const failed = count('failed') + broken + unhandled.length
    console.log(`${passed} passed, ${failed} failed`)
    if (passed + failed === 0) {
      console.error('no test ran')
      process.exitCode = 1
    }
  }
}
