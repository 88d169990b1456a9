import { ObverseError } from '../errors.ts'
import { nearest } from './nearest.ts'

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
    const meant = nearest(name, known)
    throw new ObverseError(
      'CONFIGURATION_INVALID',
      `${where} has no option ${JSON.stringify(name)}; ${meant ? `did you mean ${meant}?` : `there are: ${known.join(', ')}`}`,
    )
  }
}
