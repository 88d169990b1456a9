import { join } from 'node:path'
import { ObverseError } from 'obverse'
import { createOrders, type OrdersApp, type OrdersStores } from './app.ts'
import { serverUrls } from './servers.ts'
import { isStack, STACKS, type Stack } from './stack.ts'

/** Where the data is when DATA_DIR does not say. */
export const DATA_DIR = '.data/orders'

/**
 * Of which adapters the application is made: the only file that names any. Nothing is opened here, and no driver loaded
 * that is not needed.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` naming the variable
 */
export default async function main(env: NodeJS.ProcessEnv): Promise<OrdersApp> {
  return createOrders(await (stackOf(env) === 'servers' ? onServers(env) : embedded(env)), {
    mailLog: env.ORDERS_MAIL_LOG === '1',
    partitions: partitionsOf(env),
  })
}

async function embedded(env: NodeJS.ProcessEnv): Promise<OrdersStores> {
  const { sqlite } = await import('obverse/sqlite')
  return { store: sqlite(join(env.DATA_DIR || DATA_DIR, 'orders.db')) }
}

async function onServers(env: NodeJS.ProcessEnv): Promise<OrdersStores> {
  const [{ postgres }, { rabbitmq }, { mongodb }] = await Promise.all([
    import('obverse/postgres'),
    import('obverse/rabbitmq'),
    import('obverse/mongodb'),
  ])
  const { database, amqp, management, documents } = await serverUrls(env)
  return {
    store: postgres(database),
    broker: rabbitmq(amqp, management === undefined ? {} : { management }),
    views: mongodb(documents),
  }
}

function stackOf(env: NodeJS.ProcessEnv): Stack {
  const stack = env.ORDERS_ON || 'embedded'
  if (isStack(stack)) return stack
  throw new ObverseError('CONFIGURATION_INVALID', `ORDERS_ON is ${JSON.stringify(stack)}; give ${STACKS.join(' or ')}`)
}

/** The queues among which RabbitMQ divides the orders; the embedded queue needs no division. */
function partitionsOf(env: NodeJS.ProcessEnv): number {
  const text = env.ORDERS_PARTITIONS || '1'
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text)
  throw new ObverseError(
    'CONFIGURATION_INVALID',
    `ORDERS_PARTITIONS is ${JSON.stringify(text)}; give a whole number from 1 to 999`,
  )
}
