import { ObverseError } from '../errors.ts'
import { HIDDEN } from './mark.ts'
import type { RowOperation } from './projection.ts'

/** Where the operations of a step go, and how its mistakes are worded. */
export interface Recording {
  /** `Projection … event …: row …` */
  readonly where: (id: unknown) => string
  readonly record: (operation: RowOperation) => void
}

/** @throws {ObverseError} `PERMANENT` for an id that no row can have */
export function checkId({ where }: Recording, id: unknown, field: string, what: string): string {
  if (typeof id !== 'string' || id === '') {
    throw permanent(`${where(id)} of ${what} has no id; ${field} must be a text that is not empty`)
  }
  if (id.startsWith(HIDDEN)) {
    throw permanent(`${where(id)} of ${what} begins with U+0001, which is kept for marks; choose another id`)
  }
  return id
}

/** @throws {ObverseError} `PERMANENT` when `fields` say that `field`, by which row `row` is named, is something else */
export function keepsField(
  { where }: Recording,
  row: string,
  fields: Record<string, unknown> | undefined,
  field: string,
  name: string,
  what: string,
): void {
  if (fields && Object.hasOwn(fields, field) && fields[field] !== name) {
    throw permanent(`${where(row)}: ${what} says ${field} is ${JSON.stringify(fields[field])}; a row keeps its id`)
  }
}

export function permanent(message: string): ObverseError {
  return new ObverseError('PERMANENT', message)
}
