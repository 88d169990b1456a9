import { fieldErrors, isUnchecked, parse, unchecked } from 'obverse'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'

describe('schema', () => {
  test('names every bad field by its path, unknown ones under their own names', () => {
    const schema = z.strictObject({ items: z.array(z.strictObject({ quantity: z.number().min(1) })), name: z.string() })
    const bad = { items: [{ quantity: 0, colour: 'red' }], name: 5, total: 1 }
    try {
      parse(schema, bad, 'orders.place')
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'VALIDATION_FAILED', status: 400 })
      const fields = (error as { fields: object }).fields
      expect(Object.keys(fields).sort()).toEqual(['items[0].colour', 'items[0].quantity', 'name', 'total'])
    }
  })

  test('gives what the schema makes of the value, also when it takes its time', async () => {
    expect(parse(z.object({ a: z.number().default(1) }), {}, 'x')).toEqual({ a: 1 })
    const slow = z.string().refine(async (s) => s !== 'no')
    await expect(parse(slow, 'yes', 'x')).resolves.toBe('yes')
    await expect(parse(slow, 'no', 'x')).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  })

  test('an issue of the whole is under the empty path', () => {
    expect(fieldErrors([{ message: 'no' }])).toEqual({ '': ['no'] })
  })

  test('unchecked takes anything and is known as such', () => {
    expect(parse(unchecked<number>(), 'x', 'x')).toBe('x')
    expect(isUnchecked(unchecked())).toBe(true)
    expect(isUnchecked(z.any())).toBe(false)
  })
})
