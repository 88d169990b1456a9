import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { type App, isObverseError, logSteps } from 'obverse'
import { ordersApi } from './http.ts'
import main, { DATA_DIR } from './main.ts'
import { hasApi, partsOf, type Role } from './roles.ts'
import { firstSignal } from './signals.ts'
import { welcome } from './welcome.ts'

export interface ServeOptions {
  readonly role: Role
  readonly port: number
  readonly host: string
  /** Folder of the data file. Default: that of the application. */
  readonly data?: string
}

/**
 * Runs one process of the application until a signal. What can fail at start fails before anything is consumed: first
 * the data file, then the port. Resolves with the exit code.
 */
export async function serve({ role, port, host, data = DATA_DIR }: ServeOptions): Promise<number> {
  const orders = main({ ...process.env, DATA_DIR: data })
  const app = orders as App
  app.observe(logSteps({ write: (line) => console.log(line), kind: (type) => app.definition(type)?.kind }))
  const api = hasApi(role)
    ? ordersApi(orders, (error, { method, url }) => console.error(`${method} ${url}:`, error))
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
    console.error(`\nCannot start: ${explain(error, port, data)}\n`)
    await stop().catch(() => {})
    return 1
  }
  const address = api?.server.address() as AddressInfo | undefined
  console.log(welcome(app, role, `http://localhost:${address?.port}`, resolve(data)))
  console.log(`${await signal}: finishing what runs; a second one stops at once`)
  await stop()
  return 0
}

function explain(error: unknown, port: number, data: string): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return `port ${port} is taken by another process. Choose another: --port N, or PORT=N.`
  if (code === 'EACCES' && /listen/.test(message))
    return `port ${port} may not be opened by this user; choose one above 1023.`
  if (isObverseError(error)) return error.message
  return `${message} (data in ${resolve(data)})`
}
