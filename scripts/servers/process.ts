import { readdirSync, readFileSync } from 'node:fs'
import { run } from './run.ts'
import { waitUntil } from './wait.ts'

/** A process that can be recognised later: its pid may belong to somebody else by then, its time of birth not. */
export interface KnownProcess {
  readonly pid: number
  readonly born: string
}

interface Row {
  readonly pid: number
  readonly parent: number
  readonly born: string
  /** It has ended; its parent has not looked yet. */
  readonly zombie: boolean
}

export async function known(pid: number): Promise<KnownProcess> {
  return { pid, born: (await look(pid))?.born ?? 'ended' }
}

/** Whether that very process runs; a zombie does not. */
export async function isRunning(process: KnownProcess | undefined): Promise<boolean> {
  if (!process) return false
  const row = await look(process.pid)
  return row !== undefined && !row.zombie && row.born === process.born
}

/** Whether anything still holds the pid, zombies included: programs that check their own lock files cannot tell. */
export async function holdsPid(pid: number): Promise<boolean> {
  return (await look(pid)) !== undefined
}

/**
 * The process and everything below it, parents first. A process group would not do: PostgreSQL's backends and several
 * of Erlang's children lead sessions of their own.
 */
export async function tree(root: KnownProcess): Promise<KnownProcess[]> {
  if (!(await isRunning(root))) return []
  const rows = await all()
  const found: KnownProcess[] = [root]
  for (const { pid } of found) {
    for (const { parent, born, zombie, pid: child } of rows)
      if (parent === pid && !zombie) found.push({ pid: child, born })
  }
  return found
}

export function signal({ pid }: KnownProcess, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** SIGKILL to each whole tree, and waits until nothing of it runs. */
export async function killTrees(roots: readonly KnownProcess[]): Promise<void> {
  const found = new Map<number, KnownProcess>()
  // Frozen first, until a walk finds nobody new: a tree that goes on forking would outlive its list.
  for (let size = -1; size < found.size; ) {
    size = found.size
    for (const each of (await Promise.all(roots.map(tree))).flat()) {
      if (!found.has(each.pid)) signal(each, 'SIGSTOP')
      found.set(each.pid, each)
    }
  }
  const condemned = [...found.values()]
  for (const each of condemned) signal(each, 'SIGKILL')
  await ended(condemned, 10_000)
}

/** Waits until none of them runs. */
export async function ended(processes: readonly KnownProcess[], timeout: number): Promise<void> {
  await waitUntil(`the end of ${processes.map(({ pid }) => pid).join(', ')}`, timeout, async () => {
    for (const each of processes) if (await isRunning(each)) return false
    return true
  })
}

const PROC = process.platform === 'linux'

async function look(pid: number): Promise<Row | undefined> {
  return PROC ? fromProc(pid) : (await fromPs(['-p', String(pid)]))[0]
}

async function all(): Promise<Row[]> {
  if (!PROC) return fromPs(['-A'])
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (fromProc(Number(name)) ?? []) : []))
}

function fromProc(pid: number): Row | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The name of the command stands in parentheses and may hold anything.
  const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { pid, parent: Number(parent), born: rest[17] ?? '', zombie: state === 'Z' || state === 'X' }
}

async function fromPs(which: readonly string[]): Promise<Row[]> {
  const { stdout } = await run('ps', [...which, '-o', 'pid=,ppid=,state=,lstart='], { check: false })
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, state, born] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*\S)\s*$/.exec(line) ?? []
    return pid
      ? [{ pid: Number(pid), parent: Number(parent), born: born ?? '', zombie: state?.startsWith('Z') ?? false }]
      : []
  })
}
