import { type RunningProcess, start, until } from '../../processes.ts'
import { Progress } from '../../progress.ts'
import { flatnessOf, MOST_GROWTH, type Sample, sampleOf, WATCHED } from '../memory.ts'
import { Findings, type Outcome } from '../outcome.ts'

/** When the consumer comes: with the writer, after it, or not at all, because the broker is down. */
export type Way = 'beside' | 'behind' | 'never'

export interface PassingOptions {
  /** Where its stores are. */
  readonly env: Readonly<Record<string, string>>
  /** The store is another than the queue, so that somebody publishes. */
  readonly relayed: boolean
  readonly way: Way
  readonly count: number
  readonly name: string
  /** From how many messages on growing memory is a finding. */
  readonly judged?: number
}

const SAMPLES = 40
const TOLD_EVERY = 500
const JUDGED_FROM = 20_000
/** Milliseconds without any message after which a run has failed. */
const PATIENCE = 120_000

/** Lets messages pass through real processes, and asks each for its memory on the way. */
export async function passing({
  env,
  relayed,
  way,
  count,
  name,
  judged = JUDGED_FROM,
}: PassingOptions): Promise<Outcome> {
  const findings = new Findings()
  const running = new Map<string, RunningProcess>()
  const samples = new Map<string, Sample[]>()
  const run = async (role: string, ...args: string[]): Promise<RunningProcess> => {
    const process = start('test/bounds/passing/process.ts', [role, ...args], { env: { ...WATCHED, ...env } })
    running.set(role, process)
    samples.set(role, [])
    await process.printed(/^Ready\.$/m, 60_000)
    return process
  }
  const look = async (role: string): Promise<void> => {
    const sample = await sampleOf(running.get(role) as RunningProcess)
    if (!sample) throw new Error(`${role} ended: ${running.get(role)?.output.slice(-1_000)}`)
    samples.get(role)?.push(sample)
  }
  /** Until a process has done with all; everybody who runs is looked at on the way. */
  const follow = async (role: string, what: string): Promise<number> => {
    const progress = new Progress(`${name}, ${what}`, count)
    const last = Math.floor(count / TOLD_EVERY) * TOLD_EVERY
    for (let done = 0; done < last; ) {
      const before = done
      await until(`${what} to go on`, () => doneBy(running.get(role)) > before || hasEnded(running), PATIENCE)
      if (hasEnded(running))
        throw new Error([...running].map(([one, { output }]) => `${one}: ${output.slice(-500)}`).join('\n'))
      done = doneBy(running.get(role))
      progress.update(done)
      const seen = samples.get(role) as Sample[]
      if (seen.length < (done / last) * SAMPLES) for (const each of running.keys()) await look(each)
    }
    return progress.end()
  }
  const rates: Record<string, number> = {}
  try {
    await run('write', String(way === 'beside' ? 0 : count))
    if (relayed) await run('relay')
    if (way === 'beside') {
      await run('consume')
      await running.get('write')?.stop()
      running.delete('write')
      samples.delete('write')
      await run('write', String(count))
      rates.handledPerSecond = await follow('consume', 'handled')
    } else {
      rates.acceptedPerSecond = await follow('write', 'accepted')
      if (way === 'behind') {
        await run('consume')
        rates.handledPerSecond = await follow('consume', 'handled')
      }
    }
  } catch (error) {
    findings.add((error as Error).message)
  } finally {
    await Promise.all([...running.values()].map((process) => process.kill()))
  }
  const figures: Record<string, number> = { ...rates }
  for (const [role, seen] of samples) {
    const { begin, end, ratio } = flatnessOf(seen)
    Object.assign(figures, { [`${role}Begin`]: begin, [`${role}End`]: end, [`${role}Ratio`]: ratio })
    if (count >= judged && !(ratio <= MOST_GROWTH))
      findings.add(`the memory of ${role} grew from ${begin} to ${end} MB`)
  }
  return { findings: findings.list(), figures }
}

function doneBy(process: RunningProcess | undefined): number {
  const { stdout = '' } = process ?? {}
  const at = stdout.lastIndexOf('\ndone ')
  return at < 0 ? 0 : Number.parseInt(stdout.slice(at + 6), 10)
}

function hasEnded(running: ReadonlyMap<string, RunningProcess>): boolean {
  return [...running.values()].some(({ exit }) => exit !== undefined)
}
