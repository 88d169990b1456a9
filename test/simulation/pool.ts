import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

/** Seeds of one task: few enough that progress shows and the last workers end together. */
const CHUNK = 20

export interface Failure {
  readonly seed: number
  readonly violations: readonly string[]
}

export interface Task {
  readonly from: number
  readonly seeds: number
}

export interface Done {
  readonly seeds: number
  readonly commands: number
  readonly steps: number
  readonly failures: readonly Failure[]
}

export interface PoolOptions {
  readonly from: number
  readonly seeds: number
  /** Told of everything so far. */
  readonly onProgress: (done: Done) => void
}

/** Runs seeds side by side, in as many threads as the machine has processors. What a seed does is its own: it is the same alone and among others. */
export async function runSeeds(options: PoolOptions): Promise<Done> {
  const { from, seeds, onProgress } = options
  let next = from
  let done: Done = { seeds: 0, commands: 0, steps: 0, failures: [] }
  const task = (): Task | undefined => {
    const count = Math.min(CHUNK, from + seeds - next)
    if (count <= 0) return undefined
    next += count
    return { from: next - count, seeds: count }
  }
  const take = (part: Done): void => {
    done = {
      seeds: done.seeds + part.seeds,
      commands: done.commands + part.commands,
      steps: done.steps + part.steps,
      failures: [...done.failures, ...part.failures].sort((a, b) => a.seed - b.seed),
    }
    onProgress(done)
  }
  const all = Array.from({ length: Math.min(availableParallelism(), Math.ceil(seeds / CHUNK)) }, () => work(task, take))
  await Promise.all(all)
  return done
}

function work(task: () => Task | undefined, take: (part: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url))
    const give = () => {
      const given = task()
      if (given) worker.postMessage(given)
      else void worker.terminate().then(() => resolve())
    }
    worker.on('message', (part: Done) => {
      take(part)
      give()
    })
    worker.on('error', reject)
    give()
  })
}
