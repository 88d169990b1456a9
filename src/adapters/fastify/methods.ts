import type { FastifyReply, FastifyRequest } from 'fastify'
import { preflight } from './cors.ts'
import { Problem } from './problem.ts'

/** Which methods each path knows: for 405, `Allow` and OPTIONS. */
export class Methods {
  readonly #paths: { readonly pattern: RegExp; readonly methods: readonly string[] }[]
  /** Of all paths together. */
  readonly all: readonly string[]

  constructor(routes: readonly { readonly method: string; readonly path: string }[]) {
    const byPath = new Map<string, Set<string>>()
    for (const { method, path } of routes) {
      const methods = byPath.get(path) ?? new Set()
      methods.add(method)
      if (method === 'GET') methods.add('HEAD')
      byPath.set(path, methods)
    }
    // a path without parameters is more exact than one with, as in the router
    const sorted = [...byPath].sort(([a], [b]) => Number(a.includes(':')) - Number(b.includes(':')))
    this.#paths = sorted.map(([path, methods]) => ({
      pattern: new RegExp(`^${path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+')}$`),
      methods: [...methods, 'OPTIONS'],
    }))
    this.all = [...new Set(this.#paths.flatMap(({ methods }) => methods))]
  }

  /** `undefined`: there is no such path. */
  of(url: string): readonly string[] | undefined {
    const path = url.split('?', 1)[0] as string
    return this.#paths.find(({ pattern }) => pattern.test(path))?.methods
  }
}

/**
 * What no route answers: OPTIONS of a path that is known, 405 with `Allow` for a method it does not know, 404 for the
 * rest.
 */
export function answerUnrouted(
  methods: Methods,
  notFound: string,
): (request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (request, reply) => {
    const allowed = methods.of(request.url)
    if (!allowed) throw new Problem(404, 'ROUTE_UNKNOWN', notFound)
    const { method } = request
    if (method === 'OPTIONS') {
      reply.header('allow', allowed.join(', '))
      preflight(request, reply, methods.all)
      return reply.code(200).send()
    }
    // the router itself did not take the path: a parameter that is too long
    if (allowed.includes(method)) throw new Problem(404, 'ROUTE_UNKNOWN', notFound)
    reply.header('allow', allowed.join(', '))
    throw new Problem(405, 'METHOD_NOT_ALLOWED', `This path does not allow ${method}; it allows ${allowed.join(', ')}.`)
  }
}
