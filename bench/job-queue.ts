import { type Latency, latency, pump } from './question.ts'
import { newDatabase } from './servers.ts'

/** A queue on PostgreSQL with its worker in the same process, as a side of `queue-postgres` opens it. */
export interface JobQueue {
  /** Resolves when the job is committed. */
  send(job: number): Promise<unknown>
  close(): Promise<void>
}

/** For what a queue is set up: jobs that come one by one and shall run at once, or more of them than can be worked on. */
export type Aim = 'at-once' | 'flat-out'

/** @param onJob called by the worker for each job */
export type OpenQueue = (url: string, onJob: (job: number) => void, aim: Aim) => Promise<JobQueue>

const RATE = 200
const PACED = 400
const FLAT_OUT = 3_000
const IN_FLIGHT = 100
/** Milliseconds after which a job that was not worked on ends the run. */
const PATIENCE = 30_000

/** A queue under both loads, each in a database of its own. */
export async function underLoad(open: OpenQueue) {
  const [paced, busy] = [await watched(open, 'at-once'), await watched(open, 'flat-out')]
  const flatOut = async () => {
    const worked = busy.expect(FLAT_OUT)
    const start = performance.now()
    let next = 0
    await Promise.all([pump(FLAT_OUT, IN_FLIGHT, () => busy.send(next++)), worked])
    return (FLAT_OUT / (performance.now() - start)) * 1_000
  }
  return {
    /** How long after a job was due to be sent its handler runs, and how many go from end to end in a second. */
    run: async (): Promise<Latency & { readonly rate: number }> => ({
      ...(await atPace(paced)),
      rate: await flatOut(),
    }),
    flatOut,
    async close() {
      await Promise.all([paced.close(), busy.close()])
    },
  }
}

async function atPace(queue: WatchedQueue): Promise<Latency> {
  const worked = queue.expect(PACED)
  const start = performance.now()
  const due = (job: number) => start + (job * 1_000) / RATE
  const sending: Promise<unknown>[] = []
  while (sending.length < PACED) {
    while (sending.length < PACED && due(sending.length) <= performance.now()) sending.push(queue.send(sending.length))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const [times] = await Promise.all([worked, ...sending])
  return latency([...times].map(([job, at]) => at - due(job)))
}

interface WatchedQueue extends JobQueue {
  /** Resolves with when each job was worked on, once `count` of them were. */
  expect(count: number): Promise<ReadonlyMap<number, number>>
}

async function watched(open: OpenQueue, aim: Aim): Promise<WatchedQueue> {
  let onJob: (job: number) => void = () => {}
  const queue = await open(await newDatabase(), (job) => onJob(job), aim)
  return {
    send: (job) => queue.send(job),
    close: () => queue.close(),
    expect(count) {
      const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<number, number>>()
      const times = new Map<number, number>()
      const patience = setTimeout(() => reject(new Error(`${count - times.size} jobs were not worked on`)), PATIENCE)
      onJob = (job) => {
        times.set(job, performance.now())
        if (times.size === count) resolve(times)
      }
      return promise.finally(() => clearTimeout(patience))
    },
  }
}
