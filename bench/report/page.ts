import type { PartName } from '../compare.ts'
import type { Question } from '../question.ts'
import { isReached, reachText } from '../tell.ts'
import type { Answered, Result } from './result.ts'

export type Asked = Pick<Question, 'name' | 'asks' | 'reach' | 'unit'>

/** How the report says where its plot and its figures are: beside it. */
export interface Beside {
  readonly plot: string
  readonly results: string
}

/** The report, from results alone: whatever was not measured is named too. */
export function performancePage(
  questions: readonly Asked[],
  results: readonly Result[],
  notes: Readonly<Record<string, string>>,
  beside: Beside,
): string {
  const answers = questions.flatMap((question) => {
    const result = results.find(({ name }) => name === question.name)
    return result && result.why === undefined ? [{ question, result }] : []
  })
  const machines = machineTexts(answers.map(({ result }) => result))
  const peers = answers.flatMap(({ result }) =>
    Object.entries(result.peers).map(([peer, value]) => [result.name, peer, number(value)]),
  )
  const short = answers.filter(({ question, result }) => !isReached(result, question.reach))
  const missing = questions.filter(({ name }) => !answers.some(({ question }) => question.name === name))
  return `# Performance

Written by \`npm run bench -- all --report\`. Every question is asked of Obverse and of a **twin** in the same run: what an expert would write by hand on the bare driver, in \`bench/twins\`, with the same rows and indexes, on the
same layer. The ratio is ours ÷ twin, or twin ÷ ours where less is better, so above 1 ours is the better; it is the median of pairs that were measured in turn, and ± is half of the distance between the largest and the smallest.
Load generator and servers share the cores with what is measured. **Reach** is what was meant; what is short of it is said below.

![Ratios and their reach](${beside.plot})

${table(['question', 'ours', 'twin', 'ratio', '±', 'reach', ''], answers.map(answerRow))}

What the names ask:

${questions.map(({ name, asks }) => `- **${name}**: ${asks}`).join('\n')}

${section('Several parts', partsTable(answers.map(({ result, question }) => ({ ...result, unit: question.unit }))))}${section('Other libraries', peers.length === 0 ? '' : `Their rates in the same set-up, median of three.\n\n${table(['question', 'library', 'per second'], peers)}`)}${section(
  'Short of their reach',
  short.map(({ question: { name } }) => `- **${name}**: ${notes[name] ?? 'not profiled yet.'}`).join('\n'),
)}${section('Not run', missing.map(({ name }) => `- **${name}**: ${whyNot(name, results)}`).join('\n'))}## Where

${machines.map((text) => `- ${text}`).join('\n') || 'Nothing was measured.'}

The figures are in [${beside.results}](${beside.results}), a line of JSON each. \`npm run bench -- --report\` writes this page from them; \`npm run bench -- NAME --report\` measures one question again first.
`
}

function answerRow({ question, result }: { question: Asked; result: Answered }): string[] {
  const { name, ours, twin, ratio, spread, unit } = result
  return [
    name,
    `${number(ours)} ${unit}`,
    twin === null ? '–' : `${number(twin)} ${unit}`,
    ratio === null ? '–' : ratio.toFixed(2),
    `${Math.round(spread * 100)} %`,
    reachText(question.reach),
    isReached(result, question.reach) ? 'reached' : '**short**',
  ]
}

function partsTable(results: readonly Answered[]): string {
  const rows = results.flatMap(({ name, unit, parts = {} }) =>
    Object.entries(parts).map(([part, { ours, twin, ratio }]) => {
      const of = (part as PartName) === 'rate' ? unit : 'ms'
      return [
        name,
        part,
        `${number(ours)} ${of}`,
        twin === null ? '–' : `${number(twin)} ${of}`,
        ratio?.toFixed(2) ?? '–',
      ]
    }),
  )
  const told = 'The part in which ours compares worst is the one in the table above.'
  return rows.length === 0 ? '' : `${told}\n\n${table(['question', 'part', 'ours', 'twin', 'ratio'], rows)}`
}

function whyNot(name: string, results: readonly Result[]): string {
  return results.find((result) => result.name === name)?.why ?? 'not measured yet'
}

/** One line for each machine and day, with all servers that were used there. */
function machineTexts(results: readonly Answered[]): string[] {
  const servers = new Map<string, Set<string>>()
  for (const { on, machine } of results) {
    const { cores, processor, memory, system, node } = machine
    const text = `${on}: ${cores} cores (${processor}), ${memory} GiB of memory, ${system}, Node ${node.replace(/^v/, '')}`
    servers.set(text, new Set([...(servers.get(text) ?? []), ...machine.servers]))
  }
  return [...servers].map(([text, used]) => [text, ...used].join(', '))
}

function section(title: string, text: string): string {
  return text === '' ? '' : `## ${title}\n\n${text}\n\n`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 2 : 0 })
}
