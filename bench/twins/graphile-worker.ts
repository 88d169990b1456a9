import type { OpenQueue } from '../job-queue.ts'
import { peer } from '../peers.ts'

interface Runner {
  addJob(task: string, payload: object): Promise<unknown>
  stop(): Promise<void>
}

const QUIET = { debug: () => {}, info: () => {}, warn: console.warn, error: console.error }

/** Jobs are locked 500 at once, and what ends together is completed together. Where there is always something to do it waits for more. */
export const graphileQueue: OpenQueue = async (url, onJob, aim) => {
  const { Logger, run } = await peer<{
    Logger: new (factory: () => (level: keyof typeof QUIET, message: string) => void) => unknown
    run: (options: object) => Promise<Runner>
  }>('graphile-worker', ['graphile-worker@0.18.0'])
  const runner = await run({
    taskList: { work: async ({ job }: { job: number }) => onJob(job) },
    noHandleSignals: true,
    logger: new Logger(() => (level, message) => (QUIET[level] ?? QUIET.info)(message)),
    preset: {
      worker: {
        connectionString: url,
        maxPoolSize: 20,
        concurrentJobs: 10,
        localQueue: { size: 500, ...(aim === 'flat-out' && { refetchDelay: { durationMs: 100 } }) },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
    },
  })
  return { send: (job) => runner.addJob('work', { job }), close: () => runner.stop() }
}
