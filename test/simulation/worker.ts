// A thread that runs the seeds it is given.
import { parentPort } from 'node:worker_threads'
import type { Done, Failure, Task } from './pool.ts'
import { runSeed } from './run.ts'

parentPort?.on('message', async ({ from, seeds }: Task) => {
  const failures: Failure[] = []
  let [commands, steps] = [0, 0]
  for (let seed = from; seed < from + seeds; seed += 1) {
    const report = await runSeed(seed)
    commands += report.commands
    steps += report.steps
    if (report.violations.length > 0) failures.push({ seed, violations: report.violations })
  }
  parentPort?.postMessage({ seeds, commands, steps, failures } satisfies Done)
})
