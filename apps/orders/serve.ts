import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { type App, isObverseError, kindOf, logSteps } from 'obverse'
import type { OrdersApp } from './app.ts'
import { ordersApi } from './http.ts'
import main, { DATA_DIR } from './main.ts'
import { hasApi, partsOf, type Role } from './roles.ts'
import { firstSignal } from './signals.ts'
import type { Stack } from './stack.ts'
import { welcome } from './welcome.ts'

export interface ServeOptions {
  readonly role: Role
  readonly on: Stack
  readonly port: number
  readonly host: string
  /** Folder of the data file, embedded. Default: that of the application. */
  readonly data?: string
}

/**
 * Runs one process of the application until a signal. What can fail at start fails before anything is consumed: first
 * the data file or PostgreSQL, then the port. RabbitMQ and MongoDB may be down. Resolves with the exit code.
 */
export async function serve({ role, on, port, host, data = DATA_DIR }: ServeOptions): Promise<number> {
  const place = on === 'embedded' ? resolve(data) : undefined
  let orders: OrdersApp
  try {
    orders = await main({ ...process.env, ORDERS_ON: on, DATA_DIR: data })
  } catch (error) {
    return refuse(explain(error, port, place))
  }
  const app = orders as App
  app.observe(logSteps({ write: (line) => console.log(line), kind: (type) => app.definition(type)?.kind }))
  const api = hasApi(role)
    ? ordersApi(orders, (error, { method, url }) => console.error(`${method} ${url}:`, told(error)))
    : undefined
  const stop = async () => {
    await api?.close()
    await app.stop()
  }
  const signal = firstSignal()
  try {
    await app.open()
    await app.operate.migrate()
    await api?.listen({ port, host })
    await app.start(partsOf(role) ?? { relay: false, consume: false, project: false })
  } catch (error) {
    await stop().catch(() => {})
    return refuse(explain(error, port, place))
  }
  const address = api?.server.address() as AddressInfo | undefined
  const dependencies = await app.operate.health()
  console.log(welcome({ app, role, url: `http://localhost:${address?.port}`, place, dependencies }))
  console.log(`${await signal}: finishing what runs; a second one stops at once`)
  await stop()
  return 0
}

/** Where a dependency was out of reach its stack tells nothing. */
function told(error: unknown): unknown {
  return isObverseError(error) && kindOf(error) === 'outage' ? `${error.code}: ${error.message}` : error
}

function refuse(reason: string): number {
  console.error(`\nCannot start: ${reason}\n`)
  return 1
}

function explain(error: unknown, port: number, place: string | undefined): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return `port ${port} is taken by another process. Choose another: --port N, or PORT=N.`
  if (code === 'EACCES' && /listen/.test(message))
    return `port ${port} may not be opened by this user; choose one above 1023.`
  if (isObverseError(error)) return error.message
  return place === undefined ? message : `${message} (data in ${place})`
}
