import { type Answer, type Generation, type MessageStatus, type Outgoing, readEnvelope } from 'obverse'
import { EventTable } from './event-table.ts'
import { HeldTable } from './held-table.ts'
import { Queue } from './queue.ts'
import type { Owner, QueueRow, StoredEvent } from './rows.ts'
import { ViewTables } from './view-table.ts'

export type StatusRow = { -readonly [K in keyof MessageStatus]: MessageStatus[K] }

/** Everything one memory store holds. Stores that were opened from one value share it, as processes share a file. */
export class Data {
  readonly events: EventTable
  readonly snapshots: Map<string, { readonly version: number; readonly seq: number; readonly state: string }> =
    new Map()
  readonly queues: Map<string, Queue> = new Map()
  readonly rows: Map<number, QueueRow> = new Map()
  /** Rows of commands, by message id: they can be called off. */
  readonly commands: Map<string, QueueRow[]> = new Map()
  /** Inbox: `MESSAGE\nHANDLER` → epoch ms. */
  readonly marks: Map<string, number> = new Map()
  readonly attempts: Map<string, number> = new Map()
  readonly claims: Map<string, { readonly fingerprint: string; readonly answer: Answer; readonly at: number }> =
    new Map()
  readonly held: HeldTable = new HeldTable()
  readonly statuses: Map<string, StatusRow> = new Map()
  readonly correlatedStatuses: Map<string, StatusRow[]> = new Map()
  readonly checkpoints: Map<string, number> = new Map()
  readonly generations: Map<string, Generation> = new Map()
  readonly views: ViewTables = new ViewTables()
  readonly owners: Map<string, Owner> = new Map()
  /** Set while a commit waits for its inline views; other commits wait for it. */
  turn: Promise<void> | undefined
  readonly #listeners = new Set<() => void>()
  #notifying = false
  #rowIds = 0

  constructor(relay: boolean) {
    this.events = new EventTable(relay)
  }

  queue(channel: string): Queue {
    let queue = this.queues.get(channel)
    if (!queue) {
      queue = new Queue(channel)
      this.queues.set(channel, queue)
    }
    return queue
  }

  /** One row for one channel. */
  enqueue(channel: string, message: Outgoing, event: StoredEvent | undefined, now: number): void {
    const row = this.#row(channel, message.key, message.id, now, message.due ?? 0)
    this.#insert({ ...row, message, event, raw: undefined }, now)
  }

  /** Text as a message, whatever it is; its id and key are used as far as they can be read. */
  enqueueRaw(channel: string, body: string, now: number, known: { id?: string; key?: string | null } = {}): void {
    const read = known.id === undefined ? identify(body) : { id: known.id, key: known.key ?? null }
    const row = this.#row(channel, read.key, read.id, now, 0)
    this.#insert({ ...row, message: undefined, event: undefined, raw: body }, now)
  }

  /** A row goes for good. */
  unqueue(row: QueueRow): void {
    row.queue.remove(row)
    this.rows.delete(row.id)
    if (row.message?.kind === 'command') this.commands.delete(row.messageId)
  }

  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Tells listeners, once for all commits of one burst. */
  notify(): void {
    if (this.#notifying || this.#listeners.size === 0) return
    this.#notifying = true
    queueMicrotask(() => {
      this.#notifying = false
      for (const listener of [...this.#listeners]) listener()
    })
  }

  clear(): void {
    this.events.clear()
    this.held.clear()
    this.views.clear()
    for (const queue of this.queues.values()) queue.clear()
    const { snapshots, rows, commands, marks, attempts, claims, statuses, correlatedStatuses } = this
    for (const map of [snapshots, rows, commands, marks, attempts, claims, statuses, correlatedStatuses]) map.clear()
    this.checkpoints.clear()
    this.generations.clear()
  }

  #row(channel: string, key: string | null, messageId: string, at: number, due: number) {
    this.#rowIds += 1
    const state = { retryAt: 0, owner: undefined, taken: false, gone: false }
    return { id: this.#rowIds, queue: this.queue(channel), key, messageId, at, due, ...state }
  }

  #insert(row: QueueRow, now: number): void {
    this.rows.set(row.id, row)
    if (row.message?.kind === 'command') {
      const others = this.commands.get(row.messageId)
      if (others) others.push(row)
      else this.commands.set(row.messageId, [row])
    }
    if (row.event && row.event.position === undefined) {
      row.event.rows ??= []
      row.event.rows.push(row)
    }
    row.queue.add(row, now)
  }
}

function identify(body: string): { readonly id: string; readonly key: string | null } {
  try {
    return readEnvelope(body)
  } catch {
    return { id: '', key: null }
  }
}
