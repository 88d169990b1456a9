import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Schema } from 'obverse'
import { expectTypeOf, test } from 'vitest'

test('our structural schema and the specification are assignable both ways', () => {
  expectTypeOf<StandardSchemaV1<string, number>>().toExtend<Schema<string, number>>()
  expectTypeOf<Schema<string, number>>().toExtend<StandardSchemaV1<string, number>>()
})
