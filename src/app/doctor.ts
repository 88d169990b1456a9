import type { ChannelReport, Finding, Operations, ProjectionReport } from '../operate.ts'

/** A held row older than its retry policy could explain, events that no projector fetches: numbers that deserve a word. */
const BEHIND = 1_000

type Looks = Pick<Operations, 'health' | 'pendingMigrations' | 'channels' | 'deadLetters' | 'projections'>

/** Looks at everything an operator would look at first, and says of each what to do. */
export async function examine(operations: Looks): Promise<readonly Finding[]> {
  const health = await operations.health()
  const findings: Finding[] = health.map(({ name, ok, detail }) =>
    ok
      ? { level: 'ok', subject: name, says: detail }
      : { level: 'error', subject: name, says: detail, remedy: `Start ${name} or mend its address, then look again` },
  )
  if (health.some(({ ok }) => !ok)) return findings
  findings.push(tables(await operations.pendingMigrations()))
  for (const report of await operations.channels.list()) findings.push(...channel(report))
  for (const report of await operations.projections.list()) findings.push(projection(report))
  return findings
}

function tables(pending: readonly string[]): Finding {
  if (pending.length === 0) return { level: 'ok', subject: 'tables', says: 'every migration has been applied' }
  return {
    level: 'error',
    subject: 'tables',
    says: `${pending.length} migrations are pending: ${pending.join(', ')}`,
    remedy: 'Run `obverse migrate`',
  }
}

function channel({ channel: name, messages, consumers, handlers, held }: ChannelReport): Finding[] {
  const subject = `channel ${name}`
  const findings: Finding[] = []
  if (handlers.length === 0 && messages > 0) {
    const says = `${messages} messages wait and nothing in this application handles them`
    findings.push({ level: 'warning', subject, says, remedy: 'Register their handlers, or take the channel away' })
  } else if (messages > 0 && consumers === 0) {
    const says = `${messages} messages wait and nobody consumes`
    findings.push({ level: 'warning', subject, says, remedy: `Run \`obverse consume ${name}\`` })
  }
  if (held.dead > 0) {
    const says = `${held.dead} dead letters, ${held.waiting} messages wait behind them`
    findings.push({ level: 'warning', subject, says, remedy: `Run \`obverse failed list --channel ${name}\`` })
  }
  if (findings.length > 0) return findings
  return [{ level: 'ok', subject, says: `${messages} messages, ${consumers} consumers, ${held.retry} being retried` }]
}

function projection({ projection: name, behind, parked, rows, view, store }: ProjectionReport): Finding {
  const subject = `projection ${name}`
  if (parked > 0) {
    const says = `${parked} dead letters park keys of ${view}`
    return { level: 'warning', subject, says, remedy: `Run \`obverse failed list --handler ${name}\`` }
  }
  if (behind !== undefined && behind > BEHIND) {
    const says = `${view} is ${behind} events behind the log`
    return {
      level: 'warning',
      subject,
      says,
      remedy: 'Is a process with projections running? See `obverse projections list`',
    }
  }
  return { level: 'ok', subject, says: `${rows} rows of ${view} in ${store}` }
}
