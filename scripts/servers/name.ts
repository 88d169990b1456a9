/** What a server speaks. */
export type Kind = 'postgres' | 'rabbitmq' | 'mongodb'

/**
 * What can be asked for. `rabbitmq4` is RabbitMQ 4 beside whatever version the machine has; `mongodb-memory` is the
 * stand-in that starts empty after every stop.
 */
export type ServerName = 'postgres' | 'rabbitmq' | 'rabbitmq4' | 'mongodb' | 'mongodb-memory'

export interface NameEntry {
  readonly kind: Kind
  /** As people write it. */
  readonly title: string
  /** Names a server of the user's, which is then used as it is. */
  readonly variable?: string
}

export const NAMES: Readonly<Record<ServerName, NameEntry>> = {
  postgres: { kind: 'postgres', title: 'PostgreSQL', variable: 'OBVERSE_TEST_POSTGRES_URL' },
  rabbitmq: { kind: 'rabbitmq', title: 'RabbitMQ', variable: 'OBVERSE_TEST_RABBITMQ_URL' },
  rabbitmq4: { kind: 'rabbitmq', title: 'RabbitMQ 4', variable: 'OBVERSE_TEST_RABBITMQ4_URL' },
  mongodb: { kind: 'mongodb', title: 'MongoDB', variable: 'OBVERSE_TEST_MONGODB_URL' },
  'mongodb-memory': { kind: 'mongodb', title: 'MongoDB (in memory)' },
}

/** What is meant when nothing is named. */
export const USUAL: readonly ServerName[] = ['postgres', 'rabbitmq', 'mongodb']

export function isServerName(name: string): name is ServerName {
  return Object.hasOwn(NAMES, name)
}
