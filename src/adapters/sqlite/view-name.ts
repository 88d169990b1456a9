/**
 * Names of views and fields as SQLite names, which do not tell `Orders` from `orders`: a capital becomes `^o`, what is
 * neither letter, digit nor underscore its code. Always used in quotes.
 */
function encode(name: string): string {
  return name.replace(/[^a-z0-9_]/g, (sign) =>
    /[A-Z]/.test(sign) ? `^${sign.toLowerCase()}` : `~${sign.charCodeAt(0).toString(16)}~`,
  )
}

export function tableName(view: string, generation: number): string {
  return `"obverse_view_${encode(view)}_${generation}"`
}

/** The column of a look-up field. */
export function columnName(field: string): string {
  return `"f_${encode(field)}"`
}

export function indexName(view: string, generation: number, number: number): string {
  return `"obverse_look_up_${encode(view)}_${generation}_${number}"`
}

/** The full-text table of a view that is searched. */
export function wordsName(view: string, generation: number): string {
  return `"obverse_words_${encode(view)}_${generation}"`
}
