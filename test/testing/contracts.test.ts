import assert from 'node:assert/strict'
import { memory } from 'obverse/memory'
import { CANARIES, canaries, storeCases, storeContracts } from 'obverse/testing/conformance'
import { describe, test } from 'vitest'

const options = { store: () => memory(), capabilities: [] } as const

describe('contracts as data', () => {
  test('cases whose needs are not met are left out', () => {
    const names = storeContracts(options).map(({ name }) => name)
    const needy = storeCases.filter(({ needs }) => needs?.length).map(({ name }) => name)
    assert.ok(needy.length > 10)
    for (const name of needy) assert.ok(!names.includes(name))
  })

  test('an exception is marked with its reason, and must name a case', () => {
    const name = 'log: an empty log has its head at 0 and an empty page'
    const found = storeContracts({ ...options, except: { [name]: 'because' } }).find((one) => one.name === name)
    assert.equal(found?.skip, 'because')
    assert.throws(() => storeContracts({ ...options, except: { 'log: no such case': 'because' } }), /no such case/)
  })

  test('a canary that does not fail is a failure', async () => {
    const whole = {
      name: 'memory',
      open: async (environment: Parameters<ReturnType<typeof memory>['open']>[0]) => {
        const { without: _, ...runtime } = environment.runtime
        return memory().open({ ...environment, runtime })
      },
    }
    const [first] = canaries({ store: () => whole, capabilities: [] })
    assert.ok(first)
    await assert.rejects(first.run, /it proves nothing/)
  })

  test('every canary names a case', () => {
    const names = new Set(storeContracts(options).map(({ name }) => name))
    for (const [protection, name] of CANARIES) assert.ok(names.has(name), protection)
  })
})
