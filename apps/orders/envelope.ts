import type { Envelope, Failure, JsonSchema } from 'obverse/fastify'

const TYPES: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'INSUFFICIENT_PRIVILEGES',
  404: 'RESOURCE_NOT_FOUND',
  405: 'NOT_ALLOWED',
  409: 'CONFLICT',
  413: 'BAD_REQUEST',
  415: 'BAD_REQUEST',
  422: 'VALIDATION_ERROR',
}

function typeOf({ status, fields }: Failure): string {
  if (fields && (status === 400 || status === 422)) return 'VALIDATION_ERROR'
  return TYPES[status] ?? (status < 500 ? 'BAD_REQUEST' : 'SERVER_ERROR')
}

const statusCode: JsonSchema = { type: 'integer' }

/** `{statusCode, data}` or `{statusCode, error: {type, description, fields?}}`. */
export const envelope: Envelope = {
  success: (status, data) => ({ statusCode: status, data }),
  failure: (failure) => ({
    statusCode: failure.status,
    error: {
      type: typeOf(failure),
      description: failure.message,
      ...(failure.fields && { fields: failure.fields }),
    },
  }),
  successSchema: (status, data) => ({
    type: 'object',
    required: ['statusCode', 'data'],
    properties: { statusCode: { const: status }, data },
  }),
  failureSchema: {
    type: 'object',
    required: ['statusCode', 'error'],
    properties: {
      statusCode,
      error: {
        type: 'object',
        required: ['type', 'description'],
        properties: {
          type: { type: 'string', enum: [...new Set([...Object.values(TYPES), 'SERVER_ERROR'])] },
          description: { type: 'string' },
          fields: {
            type: 'object',
            description: 'Messages by path of the field, as items[0].quantity',
            additionalProperties: { type: 'array', items: { type: 'string' } },
          },
        },
      },
    },
  },
}
