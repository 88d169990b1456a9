// A database of which one method of collections fails as a test wants it to; everything else is the real thing.
import { type Collection, type Db, MongoBulkWriteError, MongoServerError } from 'mongodb'

/** The first bulk write lets the writes at `indexes` fail with `code`; the others are done. */
export function failingOnce(
  db: Db,
  code: number,
  indexes: readonly number[],
): { readonly db: Db; readonly bulks: number[] } {
  const bulks: number[] = []
  const failing = withMethod(db, 'bulkWrite', async (collection, operations: unknown[], options: object) => {
    bulks.push(operations.length)
    if (bulks.length > 1) return collection.bulkWrite(operations as never, options)
    const rest = operations.filter((_, at) => !indexes.includes(at))
    if (rest.length > 0) await collection.bulkWrite(rest as never, options)
    const writeErrors = indexes.map((index) => ({ index, code, errmsg: 'made to fail' }))
    throw new MongoBulkWriteError({ message: 'made to fail', code, writeErrors: writeErrors as never }, {} as never)
  })
  return { db: failing, bulks }
}

/** The first bulk write fails with `error`. */
export function throwingOnce(db: Db, error: Error): Db {
  let thrown = false
  return withMethod(db, 'bulkWrite', async (collection, operations: unknown[], options: object) => {
    if (thrown) return collection.bulkWrite(operations as never, options)
    thrown = true
    throw error
  })
}

/** Making an index of that name fails with `code`, alone or together with others. */
export function refusingIndex(db: Db, name: string, code: number): Db {
  return withMethod(db, 'createIndexes', async (collection, specs: { readonly name: string }[]) => {
    if (!specs.some((spec) => spec.name === name)) return collection.createIndexes(specs as never)
    throw new MongoServerError({ message: 'made to fail', code })
  })
}

function withMethod(
  db: Db,
  method: 'bulkWrite' | 'createIndexes',
  work: (collection: Collection, ...given: never[]) => unknown,
): Db {
  const client = override(db.client, 'db', (...given: Parameters<typeof db.client.db>) => {
    const own = db.client.db(...given)
    return override(own, 'collection', (...asked: Parameters<typeof own.collection>) => {
      const collection = own.collection(...asked) as Collection
      return override(collection, method, (...rest: never[]) => work(collection, ...rest))
    })
  })
  return override(db, 'client', client)
}

function override<T extends object>(on: T, name: keyof T, value: unknown): T {
  return new Proxy(on, {
    get(target, asked) {
      if (asked === name) return value
      const found = Reflect.get(target, asked, target)
      return typeof found === 'function' ? found.bind(target) : found
    },
  })
}
