import type { EventEnvelope } from '../message/envelope.ts'
import type { HandlerState, StatusReport, TraceNode } from '../operate.ts'
import type { OpenStore } from '../store.ts'
import type { DeadLetter } from '../wire/dead-letter.ts'
import type { MessageStatus } from '../wire/status.ts'

/** The most messages of one correlation that a trace shows. */
const TRACE_LIMIT = 1_000

export interface Sources extends Pick<OpenStore, 'log' | 'statuses' | 'deadLetters'> {
  /** Everybody who takes messages of a type. */
  readonly takers: (type: string) => readonly Taker[]
}

export interface Taker {
  readonly name: string
  /** True when it has handled the event, or has shown it. */
  done(event: EventEnvelope): Promise<boolean>
}

/** Where one message is: by its status row, as an event, as a dead letter, or by the events it caused. */
export async function statusOf(messageId: string, sources: Sources): Promise<StatusReport | undefined> {
  const { log, statuses, deadLetters } = sources
  const [status, event] = await Promise.all([statuses.get(messageId), log.byId(messageId)])
  if (status) return ofStatus(status)
  if (event) return ofEvent(event, sources)
  const [dead] = await deadLetters.list({ messageId, limit: 1 })
  if (dead) return ofDeadLetter(dead)
  const caused = (await log.correlated(messageId, TRACE_LIMIT)).filter((e) => e.metadata.causationId === messageId)
  return caused[0] && ofCause(messageId, caused[0])
}

/** Everything of the correlation that `messageId` belongs to, by what caused what. */
export async function traceOf(messageId: string, sources: Sources): Promise<readonly TraceNode[]> {
  const { log, statuses } = sources
  const itself = await statusOf(messageId, sources)
  const correlation = itself?.correlationId ?? messageId
  const [events, tracked] = await Promise.all([
    log.correlated(correlation, TRACE_LIMIT),
    statuses.correlated(correlation, TRACE_LIMIT),
  ])
  const reports = new Map<string, StatusReport>()
  for (const status of tracked) reports.set(status.messageId, ofStatus(status))
  for (const event of events) reports.set(event.id, await ofEvent(event, sources))
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
  const { messageId, type, state, reason, result, correlationId, causationId, changedAt, due } = status
  return {
    messageId,
    type,
    state,
    correlationId,
    causationId,
    at: changedAt,
    ...(reason !== undefined && { reason }),
    ...(due !== undefined && state === 'pending' && { due }),
    ...(result !== undefined && { result: JSON.parse(result) as unknown }),
  }
}

async function ofEvent(event: EventEnvelope, sources: Sources): Promise<StatusReport> {
  const handlers = await handlersOf(event, sources)
  const dead = handlers.find(({ state }) => state === 'dead')
  const held = handlers.some(({ state }) => state === 'retry' || state === 'waiting')
  const queued = handlers.some(({ state }) => state === 'queued')
  return {
    messageId: event.id,
    type: event.type,
    state: dead ? 'dead' : held ? 'held' : queued ? 'queued' : 'logged',
    correlationId: event.metadata.correlationId,
    causationId: event.metadata.causationId,
    at: event.time,
    key: event.key,
    seq: event.seq,
    ...(event.position !== undefined && { position: event.position }),
    ...(dead?.reason !== undefined && { reason: `${dead.name}: ${dead.reason}` }),
    ...(handlers.length > 0 && { handlers }),
  }
}

const HELD_STATES = ['dead', 'retry', 'waiting', 'skipped'] as const

async function handlersOf(event: EventEnvelope, { takers, deadLetters }: Sources): Promise<readonly HandlerState[]> {
  const lists = await Promise.all(HELD_STATES.map((state) => deadLetters.list({ messageId: event.id, state })))
  const held = new Map(lists.flat().map((row) => [row.handler, row]))
  return Promise.all(
    takers(event.type).map(async ({ name, done }): Promise<HandlerState> => {
      const row = held.get(name)
      if (row) return { name, state: row.state, ...(row.reason !== '' && { reason: row.reason }) }
      return { name, state: (await done(event)) ? 'handled' : 'queued' }
    }),
  )
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
