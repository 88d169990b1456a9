import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { type App, type Message, type Metadata, ObverseError, type Receipt, type Sent } from 'obverse'
import { type JsonObject, objectOf } from './body.ts'
import type { Envelope } from './envelope.ts'
import { idempotencyKeyOf } from './idempotency.ts'
import { type JsonSchema, jsonSchemaOf, type ToJsonSchema } from './json-schema.ts'
import { typedParameters } from './parameters.ts'
import type { Route } from './routes.ts'
import { sendToken, tokenOf } from './token.ts'

export interface ExchangeOptions {
  readonly envelope: Envelope
  /** Who asks, as the application authenticates it. Throw `refuse(…, { code: 'UNAUTHENTICATED' })` for a 401. */
  readonly principal?: (request: FastifyRequest) => string | undefined | Promise<string | undefined>
  readonly toJsonSchema?: ToJsonSchema
}

/** Id of the message that a request became: what `obverse status` and `obverse trace` ask for. */
export const MESSAGE_HEADER = 'message-id'

/** The way of one request: data → message → `send` or `ask` → status, headers, envelope. */
export function exchange(app: App, route: Route, options: ExchangeOptions): RouteHandlerMethod {
  const { definition, options: shape } = route
  const isQuery = definition.kind === 'query'
  const schema = jsonSchemaOf(definition.schema, 'input', options.toJsonSchema)
  const input = shape.input ?? ((request: FastifyRequest) => dataOf(request, isQuery, schema))
  return async (request, reply) => {
    const principal = await options.principal?.(request)
    const message: Message = definition(await input(request))
    const who = { ...(principal !== undefined && { principal }) }
    if (isQuery) {
      const after = tokenOf(request)
      const result = await app.ask(message as Message<string, unknown, 'query'>, {
        ...who,
        ...(after !== undefined && { after }),
      })
      return answer(route, options, request, reply, result, shape.status ?? 200)
    }
    const idempotencyKey = idempotencyKeyOf(request)
    const sent = (await app.send(message as Message<string, unknown, 'command'>, {
      ...who,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      metadata: traceOf(request),
    })) as Sent<unknown> | Receipt<unknown>
    sendToken(reply, sent.token)
    reply.header(MESSAGE_HEADER, sent.messageId)
    return 'done' in sent
      ? answer(route, options, request, reply, { messageId: sent.messageId }, shape.status ?? 202)
      : answer(route, options, request, reply, sent.result, shape.status ?? 200)
  }
}

/** The parameters of the path and what came with it, as one object. */
function dataOf(request: FastifyRequest, isQuery: boolean, schema: JsonSchema): JsonObject {
  const given = isQuery ? typedParameters(request.query as JsonObject, schema) : bodyOf(request)
  const path = request.params as JsonObject
  const twice = Object.keys(path).filter((name) => Object.hasOwn(given, name))
  if (twice.length === 0) return { ...given, ...path }
  throw new ObverseError('VALIDATION_FAILED', `${twice.join(', ')}: the path names it already`, {
    fields: Object.fromEntries(twice.map((name) => [name, ['The path of the request names it already']])),
  })
}

/** A DELETE needs no body; every other command does. */
function bodyOf(request: FastifyRequest): JsonObject {
  return request.body === undefined && request.method === 'DELETE' ? {} : objectOf(request.body)
}

const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/

function traceOf(request: FastifyRequest): Partial<Metadata> {
  const { traceparent } = request.headers
  return typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? { traceparent } : {}
}

function answer(
  route: Route,
  { envelope }: ExchangeOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  result: unknown,
  status: number,
): FastifyReply {
  const { missing, headers = {}, reply: shape } = route.options
  if (result === undefined && missing !== undefined) throw new ObverseError('NOT_FOUND', missing)
  for (const [name, header] of Object.entries(headers)) {
    const value = header.value(result, request)
    if (value !== undefined) reply.header(name, value)
  }
  const body = envelope.success(status, shape ? shape(result, request) : result)
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(body ?? null))
}
