import type { connect } from 'amqplib'
import { ObverseError } from 'obverse'

/**
 * Loads amqplib when the first connection is made, so that an application can import this entry without having it.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` with the command that installs it
 */
export async function driver(): Promise<{ readonly connect: typeof connect }> {
  try {
    return await import('amqplib')
  } catch (cause) {
    throw new ObverseError('CONFIGURATION_INVALID', 'obverse/rabbitmq needs amqplib: npm install amqplib', { cause })
  }
}
