/** `obverse/fastify`: definitions as HTTP routes, with OpenAPI, idempotency keys and consistency tokens by header. */
export type { BodyLimits } from './body.ts'
export type { CorsOptions } from './cors.ts'
export { type Envelope, type Failure, plainEnvelope } from './envelope.ts'
export { type ExchangeOptions, MESSAGE_HEADER } from './exchange.ts'
export type { DependencyState } from './health.ts'
export { IDEMPOTENCY_HEADER } from './idempotency.ts'
export type { JsonSchema, Side, ToJsonSchema } from './json-schema.ts'
export { type OpenApiInfo, openApi } from './openapi.ts'
export { type HttpOptions, plugin } from './plugin.ts'
export { type OnError, Problem } from './problem.ts'
export {
  type Accepted,
  type CommandResult,
  type Method,
  type ResponseHeader,
  type Route,
  type RouteOptions,
  type Routes,
  routes,
} from './routes.ts'
export { httpServer, serverOptions } from './server.ts'
export { failureOf } from './status.ts'
export { TOKEN_HEADER } from './token.ts'
