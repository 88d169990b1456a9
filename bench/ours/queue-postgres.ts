import { command, createApp, handle, unchecked } from 'obverse'
import { postgres } from 'obverse/postgres'
import type { OpenQueue } from '../job-queue.ts'

const Work = command('bench.work', unchecked<{ job: number }>())

/** Asynchronous commands through the store's own broker: inbox, status and all. */
export const obverseQueue: OpenQueue = async (url, onJob) => {
  const app = createApp({
    handlers: [handle(Work, { channel: 'work' }, ({ job }) => onJob(job))],
    store: postgres(url),
    channels: { work: { concurrency: 400, prefetch: 800 } },
  })
  await app.start()
  return { send: (job) => app.send(Work({ job })), close: () => app.stop() }
}
