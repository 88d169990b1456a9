import { EmbeddedInstallation } from './embedded.ts'
import type { Installation } from './installation.ts'
import { freshServers, ServersInstallation } from './on-servers.ts'

/**
 * The application on every stack, each with nothing in it. Ask while a file is collected; skip what is `missing`.
 *
 * @example
 * for (const orders of await onEveryStack()) {
 *   describe.skipIf(orders.missing)(`reading, ${orders.stack}`, () => { … })
 * }
 */
export async function onEveryStack(env: Readonly<Record<string, string>> = {}): Promise<readonly Installation[]> {
  return [new EmbeddedInstallation(env), new ServersInstallation(await freshServers(), env)]
}
