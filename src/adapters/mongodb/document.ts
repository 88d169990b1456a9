import { ObverseError, type StoredRow, type ViewShape } from 'obverse'
import { fits, nameFits } from './fit.ts'
import { lookupFields } from './index-spec.ts'
import { fieldName } from './name.ts'
import { lookupValue } from './scalar.ts'
import { storedText, textOf } from './text.ts'

/**
 * A row as a document: its fields as they are, `_id`, and what is not the application's under `_obverse`.
 *
 * @example
 * { _id: 'o-1', orderId: 'o-1', status: 'placed', _obverse: { key: 'o-1', mark: 3, live: true, by: { status: 'placed' } } }
 */
export interface RowDocument {
  readonly _id: string
  readonly _obverse: {
    readonly key: string | null
    readonly mark: number
    /** False: a tombstone or a mark, without data. */
    readonly live: boolean
    /** The values of look-up fields, as they are compared. */
    readonly by?: Readonly<Record<string, string | number | null>>
    /** JSON of the fields that a document cannot hold as they are: a name with a dot, half a surrogate pair. */
    readonly rest?: string
  }
}

/** What of a view makes its documents. */
export interface RowForm {
  /** The field that holds the row's id. */
  readonly key: string
  /** The fields of all look-ups, and what they are called in `by`. */
  readonly fields: ReadonlyMap<string, string>
}

export function rowForm(shape: ViewShape): RowForm {
  return { key: shape.key, fields: new Map(lookupFields(shape).map((field) => [field, fieldName(field)])) }
}

type Data = Record<string, unknown>

/** @throws {ObverseError} `PERMANENT` for data that is no JSON and cannot be made so */
export function documentOf({ id, key, mark, data }: StoredRow, form: RowForm): RowDocument {
  const _id = storedText(id)
  const owner = key === null ? null : storedText(key)
  if (data === null) return { _id, _obverse: { key: owner, mark, live: false } }
  const { fields, rest, whole } = split(data, id, form)
  const by: Record<string, string | number | null> = {}
  for (const [field, name] of form.fields) by[name] = lookupValue(Object.hasOwn(whole, field) ? whole[field] : null)
  const document = {
    _id,
    ...fields,
    _obverse: { key: owner, mark, live: true, by, ...(rest !== undefined && { rest }) },
  }
  // a view whose key is `_id` has it among its fields, too
  document._id = _id
  return document
}

export function rowOf(document: RowDocument, form: RowForm): StoredRow {
  const { key, mark, live } = document._obverse
  return {
    id: textOf(document._id),
    key: key === null ? null : textOf(key),
    mark,
    data: live ? dataOf(document, form) : null,
  }
}

export function dataOf(document: RowDocument, { key }: RowForm): Data {
  const { _id, _obverse, ...data }: RowDocument & Data = { ...document }
  if (key === '_id') data._id = textOf(_id)
  if (_obverse.rest === undefined) return data
  for (const [name, value] of Object.entries(JSON.parse(_obverse.rest) as Data)) {
    // assignment to `__proto__` would set the prototype and lose the field
    Object.defineProperty(data, name, { value, enumerable: true, configurable: true, writable: true })
  }
  return data
}

interface Split {
  /** What the document holds as it is. */
  readonly fields: Data
  readonly rest?: string
  /** The same as JSON has it. */
  readonly whole: Data
}

function split(data: Data, id: string, form: RowForm): Split {
  if (allFit(data, id, form)) return { fields: data, whole: data }
  const whole = plain(data, id)
  const fields: Data = {}
  const rest: Data = Object.create(null)
  for (const name of Object.keys(whole)) {
    if (fieldFits(name, whole[name], id, form)) fields[name] = whole[name]
    else rest[name] = whole[name]
  }
  if (Object.keys(rest).length === 0) return { fields, whole }
  return { fields, rest: JSON.stringify(rest), whole }
}

function allFit(data: Data, id: string, form: RowForm): boolean {
  for (const name of Object.keys(data)) if (!fieldFits(name, data[name], id, form)) return false
  return true
}

function fieldFits(name: string, value: unknown, id: string, { key }: RowForm): boolean {
  if (name === '_obverse') return false
  // the id of the document stands for the field when they are the same
  if (name === '_id') return key === '_id' && value === id
  return nameFits(name) && fits(value)
}

function plain(data: Data, id: string): Data {
  try {
    return JSON.parse(JSON.stringify(data)) as Data
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ObverseError(
      'PERMANENT',
      `Row ${JSON.stringify(id)} holds what is no JSON (${reason}); rows hold JSON values only (a bigint as text)`,
      { cause },
    )
  }
}
