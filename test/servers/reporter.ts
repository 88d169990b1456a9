// Says which servers a run used, and what was skipped for want of one.
import type { Reporter } from 'vitest/node'
import { notes } from './place.ts'

export default class ServersReporter implements Reporter {
  onTestRunEnd(): void {
    for (const line of notes()) if (line !== '') console.log(line)
  }
}
