import { ObverseError } from '../errors.ts'
import type { Broker } from '../wire/broker.ts'

/**
 * A broker without queues: a consumer on it has nothing but held rows. Projections that are fed from the log need
 * one, for the events that they could not apply.
 */
export const noQueue: Broker = {
  name: 'none',
  sharesStore: true,
  declare: async () => {},
  publish: async () => {
    throw new ObverseError('CONFIGURATION_INVALID', 'Nothing can be published to the held rows of the log')
  },
  subscribe: async () => ({ pause() {}, resume() {}, close: async () => {} }),
  stats: async () => [],
  peek: async () => [],
  put: async () => {
    throw new ObverseError('CONFIGURATION_INVALID', 'Nothing can be put on the held rows of the log')
  },
  purge: async () => 0,
  close: async () => {},
}
