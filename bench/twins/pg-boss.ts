import type { OpenQueue } from '../job-queue.ts'
import { peer } from '../peers.ts'

interface Boss {
  on(event: 'error', listener: (error: unknown) => void): void
  start(): Promise<unknown>
  stop(options: { readonly graceful: boolean }): Promise<void>
  createQueue(name: string, options: object): Promise<void>
  send(name: string, data: object): Promise<unknown>
  work(
    name: string,
    options: object,
    handler: (jobs: readonly { readonly data: { readonly job: number } }[]) => Promise<void>,
  ): Promise<unknown>
}

/**
 * Jobs are fetched and completed a hundred at once, without rest while there are more. It is woken by NOTIFY unless there is always
 * something to do: each NOTIFY queues for a lock when it commits.
 */
export const bossQueue: OpenQueue = async (url, onJob, aim) => {
  const notify = aim === 'at-once'
  const { PgBoss } = await peer<{ PgBoss: new (options: object) => Boss }>('pg-boss', ['pg-boss@12.35.0'])
  const boss = new PgBoss({ connectionString: url, max: 10, useListenNotify: notify })
  boss.on('error', (error) => {
    throw error
  })
  await boss.start()
  await boss.createQueue('work', { notify })
  const fetching = { batchSize: 100, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true }
  await boss.work('work', fetching, async (jobs) => {
    for (const { data } of jobs) onJob(data.job)
  })
  return { send: (job) => boss.send('work', { job }), close: () => boss.stop({ graceful: false }) }
}
