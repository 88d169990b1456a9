import type { FieldErrors } from 'obverse'
import type { JsonSchema } from './json-schema.ts'

/** A request that was not answered as it hoped; everything in it may reach the client. */
export interface Failure {
  readonly status: number
  /** A code of the error registry, or of HTTP itself: `BODY_UNREADABLE`, `ROUTE_UNKNOWN`, `METHOD_NOT_ALLOWED`, … */
  readonly code: string
  readonly message: string
  readonly fields?: FieldErrors
  /** The application's own word for a refusal. */
  readonly reason?: string
  /** Seconds; sent as `Retry-After`. */
  readonly retryAfter?: number
}

/** What answers look like, and how OpenAPI describes that. */
export interface Envelope {
  success(status: number, data: unknown): unknown
  failure(failure: Failure): unknown
  successSchema(status: number, data: JsonSchema): JsonSchema
  readonly failureSchema: JsonSchema
}

const fields: JsonSchema = {
  type: 'object',
  description: 'Messages by path of the field, as items[0].quantity',
  additionalProperties: { type: 'array', items: { type: 'string' } },
}

/** The default: data as it is, failures as `{ error: { code, message, fields?, reason? } }`. */
export const plainEnvelope: Envelope = {
  success: (_, data) => data,
  failure: ({ code, message, fields, reason }) => ({
    error: { code, message, ...(fields && { fields }), ...(reason !== undefined && { reason }) },
  }),
  successSchema: (_, data) => data,
  failureSchema: {
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'message'],
        properties: { code: { type: 'string' }, message: { type: 'string' }, fields, reason: { type: 'string' } },
      },
    },
  },
}
