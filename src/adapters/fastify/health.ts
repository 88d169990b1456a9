import type { FastifyInstance } from 'fastify'
import type { App } from 'obverse'
import type { Envelope } from './envelope.ts'
import type { JsonSchema } from './json-schema.ts'

/** What is said of one dependency: no file, host or text of a driver. */
export interface DependencyState {
  readonly name: string
  readonly status: 'up' | 'down'
}

export const healthSchema: JsonSchema = {
  type: 'object',
  required: ['status', 'dependencies'],
  properties: {
    status: { type: 'string', enum: ['up', 'down'] },
    dependencies: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'status'],
        properties: { name: { type: 'string' }, status: { type: 'string', enum: ['up', 'down'] } },
      },
    },
  },
}

/** 200 with every dependency; 503 as soon as one is down, naming it and still telling of the others. */
export function serveHealth(server: FastifyInstance, path: string, app: App, envelope: Envelope): void {
  server.get(path, async (_, reply) => {
    reply.header('cache-control', 'no-store')
    const dependencies: DependencyState[] = (await app.operate.health()).map(({ name, ok }) => ({
      name,
      status: ok ? 'up' : 'down',
    }))
    const down = dependencies.filter(({ status }) => status === 'down').map(({ name }) => name)
    if (down.length === 0) return envelope.success(200, { status: 'up', dependencies })
    const failure = envelope.failure({
      status: 503,
      code: 'DEPENDENCY_DOWN',
      message: `Not reachable at the moment: ${down.join(', ')}.`,
      retryAfter: 1,
    })
    const rest = envelope.success(503, { status: 'down', dependencies })
    return reply
      .code(503)
      .header('retry-after', 1)
      .send({ ...(rest as object), ...(failure as object) })
  })
}
