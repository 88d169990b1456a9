import type { ChannelReport, Operations, ProjectionReport } from '../operate.ts'
import { type Runtime, sleep } from '../runtime/clock.ts'
import type { Finding } from '../runtime/health.ts'
import type { HeldCount } from '../wire/held.ts'

/** Milliseconds in which a projection that somebody runs must have come on. */
const MOVES = 500

type Looks = Pick<Operations, 'health' | 'pendingMigrations' | 'channels' | 'deadLetters' | 'projections'>

/**
 * Looks at everything an operator would look at first, and says of each what to do. `orphans`: held rows of handlers that
 * the application does not have. `servers`: what each dependency says of itself.
 */
export async function examine(
  operations: Looks,
  orphans: () => Promise<readonly HeldCount[]>,
  servers: () => Promise<readonly Finding[]>,
  runtime: Runtime,
): Promise<readonly Finding[]> {
  const health = await operations.health()
  const findings: Finding[] = health.map(({ name, ok, detail }) =>
    ok
      ? { level: 'ok', subject: name, says: detail }
      : { level: 'error', subject: name, says: detail, remedy: `Start ${name} or mend its address, then look again` },
  )
  if (health.some(({ ok }) => !ok)) return findings
  findings.push(tables(await operations.pendingMigrations()))
  findings.push(...(await servers()))
  for (const report of await operations.channels.list()) findings.push(...channel(report))
  findings.push(...unknownHandlers(await orphans()))
  const first = await operations.projections.list()
  const late = first.some(({ behind = 0 }) => behind > 0)
  if (late) await sleep(runtime, MOVES)
  const second = late ? await operations.projections.list() : first
  for (const [at, report] of second.entries()) findings.push(projection(report, first[at]?.behind ?? 0))
  return findings
}

function tables(pending: readonly string[]): Finding {
  if (pending.length === 0) return { level: 'ok', subject: 'tables', says: 'every migration has been applied' }
  return {
    level: 'error',
    subject: 'tables',
    says: `${counted(pending.length, 'migration')} pending: ${pending.join(', ')}`,
    remedy: 'Run `obverse migrate`',
  }
}

function channel({ channel: name, messages, consumers, handlers, held }: ChannelReport): Finding[] {
  const subject = `channel ${name}`
  const findings: Finding[] = []
  if (messages > 0 && handlers.length === 0) {
    const says = `${counted(messages, 'message')} there, and nothing in this application handles them`
    findings.push({ level: 'warning', subject, says, remedy: 'Register their handlers, or take the channel away' })
  } else if (messages > 0 && consumers === 0) {
    const says = `${counted(messages, 'message')} there, and nobody consumes`
    findings.push({ level: 'warning', subject, says, remedy: `Run \`obverse consume ${name}\`` })
  }
  if (held.dead > 0) {
    const says = `${counted(held.dead, 'dead letter')}, ${counted(held.waiting, 'message')} behind`
    findings.push({ level: 'warning', subject, says, remedy: `Run \`obverse failed list --channel ${name}\`` })
  }
  if (findings.length > 0) return findings
  const says = `${counted(messages, 'message')}, ${counted(consumers, 'consumer')}, ${held.retry} to be tried again`
  return [{ level: 'ok', subject, says }]
}

/** A held row goes to the handler of its name: under another name, or none, nobody ever takes it. */
function unknownHandlers(counts: readonly HeldCount[]): Finding[] {
  const names = new Set(counts.flatMap(({ handler }) => (handler === null ? [] : [handler])))
  return [...names].map((name) => {
    const own = counts.filter(({ handler }) => handler === name)
    const sum = own.reduce((all, { count }) => all + count, 0)
    const states = own.map(({ count, state, channel: at }) => `${count} ${state} on ${at}`).join(', ')
    return {
      level: 'warning',
      subject: `handler ${name}`,
      says: `${counted(sum, 'message')} held for it (${states}), and this application has no handler of that name`,
      remedy:
        `If it was renamed, name it again: { name: '${name}' }; if it was removed, give its messages up: ` +
        `\`obverse failed list --handler ${name}\`, then \`obverse failed skip\``,
    }
  })
}

/** `before`: how far it was behind a moment ago. */
function projection(report: ProjectionReport, before: number): Finding {
  const { projection: name, behind = 0, ahead = 0, parked, rows, view, store } = report
  const subject = `projection ${name}`
  if (ahead > 0) {
    const says = `${view} has seen ${counted(ahead, 'event')} that the log does not have: was the log restored from a backup?`
    return { level: 'error', subject, says, remedy: `Run \`obverse projections rebuild ${name} --fresh\`` }
  }
  if (parked > 0) {
    const says = `${counted(parked, 'dead letter')} of ${view}: each parks its key`
    return { level: 'warning', subject, says, remedy: `Run \`obverse failed list --handler ${name}\`` }
  }
  if (behind > 0 && behind >= before) {
    const says = `${view} is ${counted(behind, 'event')} behind the log and does not come on`
    return { level: 'warning', subject, says, remedy: 'Start a process with projections: `obverse projections run`' }
  }
  const lag = behind > 0 ? `, ${counted(behind, 'event')} behind` : ''
  return { level: 'ok', subject, says: `${counted(rows, 'row')} of ${view} in ${store}${lag}` }
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
