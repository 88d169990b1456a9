import type { FastifyRequest } from 'fastify'
import {
  type AnswerOf,
  type AnyDefinition,
  type AnyHandler,
  type AnySchema,
  type App,
  type HandlerFor,
  ObverseError,
  type Receipt,
  type ResultOf,
  type Sent,
} from 'obverse'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What an asynchronous command answers with, and 202: it will be handled, or be a dead letter. */
export interface Accepted {
  readonly messageId: string
}

/** What `reply` and `headers` of a command's route are given. */
export type CommandResult<H, D extends AnyDefinition> = ResultIn<AnswerOf<HandlerFor<H, D['type']>>>
type ResultIn<A> = A extends Sent<infer R> ? R : A extends Receipt<unknown> ? Accepted : never

export interface RouteOptions<R> {
  /** Default 200; 202 for an asynchronous command. */
  readonly status?: number
  /**
   * Data of the message, before its schema. Default: the parameters of the path together with the body (a command) or
   * the query string (a query; its texts become the numbers and booleans of the schema). A name that is in both is
   * refused.
   */
  readonly input?: (request: FastifyRequest) => unknown
  /** What the client gets of the result. Default: the result. */
  readonly reply?: (result: R, request: FastifyRequest) => unknown
  /** Schema of what `reply` makes, for OpenAPI. Default: the result of the query. */
  readonly answer?: AnySchema
  readonly headers?: Readonly<Record<string, ResponseHeader<R>>>
  /** A result of `undefined` is a 404 with this text. Without it, it is an answer. */
  readonly missing?: string
  readonly summary?: string
  readonly description?: string
  readonly tag?: string
  /** Further statuses and what they mean here, for OpenAPI. */
  readonly refusals?: Readonly<Record<number, string>>
}

export interface ResponseHeader<R> {
  /** For OpenAPI. */
  readonly description: string
  /** `undefined`: the header is left out. */
  readonly value: (result: R, request: FastifyRequest) => string | undefined
}

export interface Route {
  readonly method: Method
  readonly path: string
  readonly definition: AnyDefinition
  // biome-ignore lint/suspicious/noExplicitAny: results of all routes stand in one list
  readonly options: RouteOptions<any>
}

/** Definitions as routes of one application. Immutable: each method makes a new value. */
export interface Routes<H> {
  readonly app: App<H>
  readonly list: readonly Route[]
  get<D extends AnyDefinition<'query'>>(path: string, query: D, options?: RouteOptions<ResultOf<D>>): Routes<H>
  post<D extends AnyDefinition<'command'>>(
    path: string,
    command: D,
    options?: RouteOptions<CommandResult<H, D>>,
  ): Routes<H>
  put<D extends AnyDefinition<'command'>>(
    path: string,
    command: D,
    options?: RouteOptions<CommandResult<H, D>>,
  ): Routes<H>
  patch<D extends AnyDefinition<'command'>>(
    path: string,
    command: D,
    options?: RouteOptions<CommandResult<H, D>>,
  ): Routes<H>
  delete<D extends AnyDefinition<'command'>>(
    path: string,
    command: D,
    options?: RouteOptions<CommandResult<H, D>>,
  ): Routes<H>
}

/**
 * Starts a table of routes. Paths are Fastify's: `/orders/:id`.
 *
 * @throws {ObverseError} `HANDLER_MISSING` for a definition the application does not know, `CONFIGURATION_INVALID` for
 * a method and path that are there already
 * @example
 * const paths = routes(app)
 *   .post('/orders', CreateOrder, { status: 201 })
 *   .get('/orders/:id', GetOrder, { missing: 'There is no such order.' })
 */
export function routes<H = AnyHandler>(app: App<H>): Routes<H> {
  return make(app, [])
}

function make<H>(app: App<H>, list: readonly Route[]): Routes<H> {
  const add =
    (method: Method) =>
    (path: string, definition: AnyDefinition, options: Route['options'] = {}) => {
      if (app.definition(definition.type) !== definition) {
        throw new ObverseError(
          'HANDLER_MISSING',
          `${method} ${path} is for ${definition.type}, which application ${app.name} does not handle; add its handler`,
        )
      }
      if (list.some((route) => route.method === method && route.path === path)) {
        throw new ObverseError('CONFIGURATION_INVALID', `There are two routes ${method} ${path}; take one away`)
      }
      return make(app, [...list, { method, path, definition, options }])
    }
  return {
    app,
    list,
    get: add('GET'),
    post: add('POST'),
    put: add('PUT'),
    patch: add('PATCH'),
    delete: add('DELETE'),
  }
}

/** Names of the parameters in a path, in order. */
export function parametersOf(path: string): readonly string[] {
  return [...path.matchAll(/:(\w+)/g)].map((match) => match[1] as string)
}
