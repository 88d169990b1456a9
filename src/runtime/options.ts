import { ObverseError } from '../errors.ts'

/**
 * Refuses options that nobody reads: a typo would otherwise be a default, silently.
 *
 * @throws {ObverseError} `CONFIGURATION_INVALID` naming the option, where it was given and what was probably meant
 */
export function knownOptions(where: string, given: unknown, known: readonly string[]): void {
  if (given === undefined) return
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ObverseError('CONFIGURATION_INVALID', `${where} is ${JSON.stringify(given)}; give an object of options`)
  }
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    const meant = known.find((one) => distance(one.toLowerCase(), name.toLowerCase()) <= 2)
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `${where} has no option ${JSON.stringify(name)}; ${meant ? `did you mean ${meant}?` : `there are: ${known.join(', ')}`}`,
    )
  }
}

/** Letters to insert, delete or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replace = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replace, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
