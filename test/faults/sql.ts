/** Looks into a database while others write it. */
export interface Sql {
  readonly dialect: 'sqlite' | 'postgres'
  /** `?` in the text stands for a value. */
  all<Row>(text: string, ...values: readonly (string | number)[]): Promise<Row[]>
  close(): Promise<void>
}

/** Placeholders for a list of values. */
export function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ')
}

export async function countIn(sql: Sql, text: string, ...values: readonly (string | number)[]): Promise<number> {
  const [row] = await sql.all<{ count: number }>(text, ...values)
  return Number(row?.count ?? 0)
}
