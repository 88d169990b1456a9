import type { Collection, Filter } from 'mongodb'
import type { Checkpoints, Generation } from 'obverse'
import type { Connection } from './connection.ts'
import { codeOf, DUPLICATE_KEY } from './errors.ts'
import { CHECKPOINTS, GENERATIONS } from './name.ts'
import { storedText, textOf } from './text.ts'

interface CheckpointDocument {
  readonly _id: string
  readonly position: number
}

interface GenerationDocument extends Generation {
  readonly _id: string
}

/** Each move is one write that says from where; a duplicate key means that somebody was there first. */
export function checkpoints(connection: Connection): Checkpoints {
  const fenced = !connection.without('checkpoint-fence')
  const use = <D extends { _id: string }, T>(name: string, work: (collection: Collection<D>) => Promise<T>) =>
    connection.run(async () => work(await connection.collection<D>(name)))
  const positions = <T>(work: (collection: Collection<CheckpointDocument>) => Promise<T>) => use(CHECKPOINTS, work)
  const generations = <T>(work: (collection: Collection<GenerationDocument>) => Promise<T>) => use(GENERATIONS, work)

  return {
    get: (name) => positions(async (all) => (await all.findOne({ _id: storedText(name) }))?.position ?? 0),
    advance: (name, from, to) =>
      positions((all) =>
        unlessThere(async () => {
          const filter = fenced ? { _id: storedText(name), position: from } : { _id: storedText(name) }
          const { matchedCount, upsertedCount } = await all.updateOne(
            filter,
            { $set: { position: to } },
            { upsert: from === 0 || !fenced },
          )
          return matchedCount + upsertedCount === 1
        }),
      ),
    remove: (name) =>
      positions(async (all) => {
        await all.deleteOne({ _id: storedText(name) })
      }),
    all: () =>
      positions(async (all) => {
        const found = await all.find({}, { sort: { _id: 1 } }).toArray()
        return found.map(({ _id, position }) => ({ name: textOf(_id), position }))
      }),
    generation: (view) => generations(async (all) => generationOf(await all.findOne({ _id: storedText(view) }))),
    setGeneration: (view, expected, next) =>
      generations((all) =>
        unlessThere(async () => {
          const { serving, building = null, followTo = null, previous = null } = expected
          // null finds a field that is missing, too
          const filter = { _id: storedText(view), serving, building, followTo, previous } as Filter<GenerationDocument>
          const { matchedCount, upsertedCount } = await all.replaceOne(filter, generationOf(next), {
            upsert: isFirst(expected),
          })
          return matchedCount + upsertedCount === 1
        }),
      ),
  }
}

async function unlessThere(write: () => Promise<boolean>): Promise<boolean> {
  try {
    return await write()
  } catch (error) {
    if (codeOf(error) === DUPLICATE_KEY) return false
    throw error
  }
}

/** What is known of a view that was not seen before. */
function isFirst({ serving, building, followTo, previous }: Generation): boolean {
  return serving === 1 && building === undefined && followTo === undefined && previous === undefined
}

function generationOf(stored: Generation | null): Generation {
  if (!stored) return { serving: 1 }
  const { serving, building, followTo, previous } = stored
  return {
    serving,
    ...(typeof building === 'number' && { building }),
    ...(typeof followTo === 'number' && { followTo }),
    ...(typeof previous === 'number' && { previous }),
  }
}
