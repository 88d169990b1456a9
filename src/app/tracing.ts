import type { EventEnvelope } from '../message/envelope.ts'
import type { StatusReport, TraceNode } from '../operate.ts'
import type { OpenStore } from '../store.ts'
import type { DeadLetter } from '../wire/dead-letter.ts'
import type { MessageStatus } from '../wire/status.ts'

/** The most messages of one correlation that a trace shows. */
const TRACE_LIMIT = 1_000

type Sources = Pick<OpenStore, 'log' | 'statuses' | 'deadLetters'>

/** Where one message is: by its status row, as an event, as a dead letter, or by the events it caused. */
export async function statusOf(
  messageId: string,
  { log, statuses, deadLetters }: Sources,
): Promise<StatusReport | undefined> {
  const [status, event, dead] = await Promise.all([
    statuses.get(messageId),
    log.byId(messageId),
    deadLetters.list({ messageId, limit: 1 }),
  ])
  if (status) return ofStatus(status)
  if (event) return ofEvent(event, dead[0])
  if (dead[0]) return ofDeadLetter(dead[0])
  const caused = (await log.correlated(messageId, TRACE_LIMIT)).filter((e) => e.metadata.causationId === messageId)
  return caused[0] && ofCause(messageId, caused[0])
}

/** Everything of the correlation that `messageId` belongs to, by what caused what. */
export async function traceOf(messageId: string, sources: Sources): Promise<readonly TraceNode[]> {
  const { log, statuses, deadLetters } = sources
  const itself = await statusOf(messageId, sources)
  const correlation = itself?.correlationId ?? messageId
  const [events, tracked] = await Promise.all([
    log.correlated(correlation, TRACE_LIMIT),
    statuses.correlated(correlation, TRACE_LIMIT),
  ])
  const reports = new Map<string, StatusReport>()
  for (const status of tracked) reports.set(status.messageId, ofStatus(status))
  for (const event of events) {
    const [dead] = await deadLetters.list({ messageId: event.id, limit: 1 })
    reports.set(event.id, ofEvent(event, dead))
  }
  for (const event of events) {
    const { causationId } = event.metadata
    if (causationId !== null && !reports.has(causationId)) reports.set(causationId, ofCause(causationId, event))
  }
  if (itself && !reports.has(messageId)) reports.set(messageId, itself)
  return tree([...reports.values()])
}

function tree(reports: readonly StatusReport[]): readonly TraceNode[] {
  const nodes = new Map(reports.map((report) => [report.messageId, { ...report, caused: [] as TraceNode[] }]))
  const roots: TraceNode[] = []
  for (const node of nodes.values()) {
    const parent = node.causationId === null ? undefined : nodes.get(node.causationId)
    if (parent && parent !== node) parent.caused.push(node)
    else roots.push(node)
  }
  return roots
}

function ofStatus(status: MessageStatus): StatusReport {
  const { messageId, type, state, reason, result, correlationId, causationId, changedAt } = status
  return {
    messageId,
    type,
    state,
    correlationId,
    causationId,
    at: changedAt,
    ...(reason !== undefined && { reason }),
    ...(result !== undefined && { result: JSON.parse(result) as unknown }),
  }
}

function ofEvent(event: EventEnvelope, dead: DeadLetter | undefined): StatusReport {
  return {
    messageId: event.id,
    type: event.type,
    state: dead ? 'dead' : 'logged',
    correlationId: event.metadata.correlationId,
    causationId: event.metadata.causationId,
    at: event.time,
    key: event.key,
    seq: event.seq,
    ...(event.position !== undefined && { position: event.position }),
    ...(dead && { reason: `${dead.handler}: ${dead.reason}` }),
  }
}

function ofDeadLetter(dead: DeadLetter): StatusReport {
  const { messageId, type, reason, at, key } = dead
  const id = messageId ?? ''
  return {
    messageId: id,
    type: type ?? 'unknown',
    state: 'dead',
    reason,
    correlationId: id,
    causationId: null,
    at,
    key,
  }
}

/** A synchronous command leaves no row of its own: it is known by the events that name it as their cause. */
function ofCause(messageId: string, event: EventEnvelope): StatusReport {
  const { correlationId, causationType = 'unknown' } = event.metadata
  return {
    messageId,
    type: causationType,
    state: 'done',
    correlationId,
    causationId: null,
    at: event.time,
    key: event.key,
  }
}
