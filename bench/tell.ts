import type { Comparison, Part } from './compare.ts'
import type { Question } from './question.ts'

/** Is what was meant reached? Without a twin: by the times of ours. */
export function isReached({ ratio, parts }: Pick<Comparison, 'ratio' | 'parts'>, reach: Question['reach']): boolean {
  if (typeof reach === 'number') return ratio !== null && ratio >= reach
  const { p50, p99 } = parts ?? {}
  return p50 !== undefined && p99 !== undefined && p50.ours <= reach.p50 && p99.ours <= reach.p99
}

export function reachText(reach: Question['reach']): string {
  return typeof reach === 'number' ? `≥ ${reach}` : `p50 ≤ ${reach.p50} ms, p99 ≤ ${reach.p99} ms`
}

/** What a person reads of an answer, in lines. */
export function told(result: Comparison, { reach, unit }: Pick<Question, 'reach' | 'unit'>): string[] {
  const { ours, twin, ratio, spread, runs, peers, parts } = result
  const sides: [string, Part][] = parts ? Object.entries(parts) : [['', { ours, twin, ratio }]]
  const measured = sides.map(([name, side]) => {
    const of = name === 'p50' || name === 'p99' ? 'ms' : unit
    const other = side.twin === null ? '' : `, twin ${side.twin.toLocaleString('en')} ${of}`
    return `${name}${name && ': '}ours ${side.ours.toLocaleString('en')} ${of}${other}`
  })
  const verdict = isReached(result, reach) ? 'reached' : 'short of it'
  const compared = ratio === null ? 'no twin' : `ratio ${ratio}`
  return [
    ...measured,
    `${compared} ± ${Math.round(spread * 100)} % over ${runs} ${ratio === null ? 'runs' : 'pairs'}; meant ${reachText(reach)}: ${verdict}`,
    ...Object.entries(peers).map(([name, value]) => `peer ${name}: ${value.toLocaleString('en')} ${unit}`),
  ]
}
