import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { amountOf, centsOf, hasCents, totalCents } from '../money.ts'

const cents = fc.integer({ min: 0, max: 100_000_000_000 })

describe('money', () => {
  it('is the same amount after it was cents', () => {
    fc.assert(
      fc.property(cents, (each) => {
        const amount = Number(`${Math.floor(each / 100)}.${String(each % 100).padStart(2, '0')}`)
        expect(amountOf(each)).toBe(amount)
        expect(centsOf(amount)).toBe(each)
        expect(hasCents(amount)).toBe(true)
      }),
    )
  })

  it('has two decimals and no third', () => {
    fc.assert(
      fc.property(cents, fc.integer({ min: 1, max: 9 }), (each, third) => {
        expect(hasCents(Number(`${Math.floor(each / 100)}.${String(each % 100).padStart(2, '0')}${third}`))).toBe(false)
      }),
    )
  })

  it('adds up exactly, in any order', () => {
    const item = fc.record({ quantity: fc.integer({ min: 1, max: 1_000_000 }), price: cents.map(amountOf) })
    fc.assert(
      fc.property(fc.array(item, { minLength: 1 }), (items) => {
        const exact = items.reduce((sum, { quantity, price }) => sum + BigInt(quantity) * BigInt(centsOf(price)), 0n)
        expect(totalCents(items.toReversed())).toBe(exact)
      }),
    )
    expect(amountOf(totalCents([{ quantity: 3, price: 0.1 }]))).toBe(0.3)
    expect(Object.is(centsOf(-0), 0)).toBe(true)
  })
})
