import type { SqlConnection } from 'obverse'
import type { QueryResult } from 'pg'
import { BIGINT, HEAD, INTEGER } from './array.ts'

/** What the driver of the application threw, kept whole. `code` is the server's, however deep the driver has hidden it. */
export class Foreign extends Error {
  override readonly name = 'Foreign'
  readonly code: string | undefined
  readonly original: unknown

  constructor(original: unknown) {
    super(original instanceof Error ? original.message : String(original))
    this.original = original
    this.code = sqlState(original)
  }
}

/** What the application's driver threw, if that is at the bottom of `error`; otherwise `error`. */
export function originalOf(error: unknown): unknown {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof Foreign) return at.original
  return error
}

/**
 * The part of a client of `pg` that a connection of ours uses, over a transaction that somebody else has opened by any driver.
 * Drivers differ in how they send and what they return, so every parameter is a text that the statement casts, and
 * what comes back is brought into one form. One statement at a time; none after one that failed.
 */
export class JoinedClient {
  readonly #transaction: SqlConnection
  #failed: Foreign | undefined

  constructor(transaction: SqlConnection) {
    this.#transaction = transaction
  }

  async query({ text, values = [] }: { text: string; values?: readonly unknown[] }): Promise<QueryResult> {
    if (this.#failed) throw this.#failed
    try {
      const { rows } = await this.#transaction.execute(text.replace(/\$\d+/g, '$&::text'), values.map(textOf))
      return { rows: rows.map(inOurForm), rowCount: rows.length, command: '', oid: 0, fields: [] }
    } catch (error) {
      this.#failed = new Foreign(error)
      throw this.#failed
    }
  }
}

/** Columns of ours that are 64 bits wide: drivers give them as texts, numbers or bigints. */
const NUMBERS = ['seq', 'mark', 'serving'] as const

function inOurForm(row: Record<string, unknown>): Record<string, unknown> {
  const same = { ...row }
  for (const name of NUMBERS) if (name in same && same[name] !== null) same[name] = Number(same[name])
  if (typeof same.data === 'string') same.data = JSON.parse(same.data)
  return same
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return literal(value.map(textOf))
  if (Buffer.isBuffer(value)) return literal(elementsOf(value))
  return String(value)
}

function literal(elements: readonly (string | null)[]): string {
  const quoted = elements.map((text) => (text === null ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`))
  return `{${quoted.join(',')}}`
}

/** What `array.ts` has written. */
function elementsOf(array: Buffer): (string | null)[] {
  const elements: (string | null)[] = []
  const type = array.readInt32BE(8)
  for (let at = HEAD; at < array.length; ) {
    const length = array.readInt32BE(at)
    at += 4
    if (length < 0) elements.push(null)
    else if (type === BIGINT) elements.push(String(array.readBigInt64BE(at)))
    else if (type === INTEGER) elements.push(String(array.readInt32BE(at)))
    else elements.push(array.toString('utf8', at, at + length))
    at += Math.max(0, length)
  }
  return elements
}

/** node-postgres says it at once, Drizzle in the cause, Prisma in `meta` or in what its driver says below. */
function sqlState(error: unknown): string | undefined {
  for (let at = error as Nested | undefined, deep = 0; typeof at === 'object' && at !== null && deep < 5; deep += 1) {
    for (const code of [at.originalCode, at.meta?.code, at.code]) if (/^[0-9A-Z]{5}$/.test(code ?? '')) return code
    at = at.cause ?? at.meta?.driverAdapterError
  }
  return undefined
}

interface Nested {
  readonly code?: string
  readonly originalCode?: string
  readonly meta?: { readonly code?: string; readonly driverAdapterError?: Nested }
  readonly cause?: Nested
}
