import { BSON, type Collection } from 'mongodb'
import { ObverseError } from 'obverse'
import type { Connection } from './connection.ts'
import type { RowDocument } from './document.ts'
import { codeOf } from './errors.ts'
import { type Failure, operationOf, type Write } from './write.ts'

/** The driver refuses what is too large before it sends anything, and does not say which; `undefined`: nothing is. */
export async function tooLarge(
  connection: Connection,
  { namespace }: Collection<RowDocument>,
  writes: readonly Write[],
  cause: unknown,
): Promise<ObverseError | undefined> {
  if (codeOf(cause) !== undefined || (cause as Error).name !== 'MongoInvalidArgumentError') return undefined
  const { largestDocument } = await connection.server()
  for (const write of writes) {
    const bytes = BSON.calculateObjectSize(operationOf(write))
    if (bytes < largestDocument) continue
    return new ObverseError(
      'PERMANENT',
      `Row ${JSON.stringify(write.row.id)} of ${namespace} has ${bytes} bytes as a document and the server takes ` +
        `${largestDocument}; keep less in one row`,
      { cause },
    )
  }
  return undefined
}

export function cannotKeep(
  { namespace }: Collection<RowDocument>,
  { row }: Write,
  { code, text }: Failure,
): ObverseError {
  return new ObverseError(
    'PERMANENT',
    `Row ${JSON.stringify(row.id)} of ${namespace} cannot be kept (${text}, code ${code}); change the row, or the rules ` +
      'of that collection',
  )
}

export function otherIndex({ namespace }: Collection<RowDocument>, { row }: Write): ObverseError {
  return new ObverseError(
    'PERMANENT',
    `Row ${JSON.stringify(row.id)} of ${namespace} breaks a unique index that is not Obverse's; drop that index, or ` +
      'make it a plain one',
  )
}
