import { createRequire } from 'node:module'
import { isObverseError } from 'obverse'
import { expect, test } from 'vitest'
import { storeError } from '../../../src/adapters/mongodb/errors.ts'

// The driver throws it to what is under way when its monitor hears nothing, and does not export it.
const { PoolClearedOnNetworkError } = createRequire(import.meta.url)('mongodb/lib/cmap/errors.js') as {
  readonly PoolClearedOnNetworkError: new (pool: object) => Error
}

test('a server that its monitor gave up is out of reach, and no fault of a handler', () => {
  const error = new PoolClearedOnNetworkError({ address: 'localhost:27017', serverError: new Error('timed out') })
  expect(isObverseError(storeError(error, 'localhost', String), 'STORE_UNREACHABLE')).toBe(true)
  const ours = new TypeError('of a handler')
  expect(storeError(ours, 'localhost', String)).toBe(ours)
})
