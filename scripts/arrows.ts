// Checks the arrows of .dependency-cruiser.mjs, and that the checker looked: a cruiser that cannot parse a file
// reports no violation in it, so silence alone proves nothing.
import { existsSync, readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { cruise, type ICruiseResult, type IRegularForbiddenRuleType } from 'dependency-cruiser'

export interface Violation {
  rule: string
  reason: string
  from: string
  to: string
}

export interface Arrows {
  violations: Violation[]
  /** What makes the check itself worthless: files not seen, files without a rule, no import by name resolved. */
  blind: string[]
  files: number
}

interface Rule extends IRegularForbiddenRuleType {
  name: string
  comment: string
  from: { path?: string; pathNot?: string | string[] }
}

export async function checkArrows(root: string): Promise<Arrows> {
  const rules = await loadRules()
  const roots = ['src', 'apps'].filter((folder) => existsSync(join(root, folder)))
  const { enhancedResolveOptions, ...options } = rules.options
  const ruleSet = { forbidden: rules.forbidden }
  const { output } = await cruise(roots, { ...options, baseDir: root, validate: true, ruleSet }, enhancedResolveOptions)
  const { modules, summary } = output as ICruiseResult

  const violations = summary.violations.map(({ rule, from, to, cycle }) => ({
    rule: rule.name,
    reason: rules.forbidden.find(({ name }) => name === rule.name)?.comment ?? '',
    from,
    to: cycle?.map(({ name }) => name).join(' -> ') ?? to,
  }))

  const files = roots.flatMap((folder) => typescriptIn(root, folder))
  const seen = new Set(modules.map(({ source }) => source))
  const governed = rules.forbidden.filter(({ from }) => from.path !== undefined)
  const byName = modules.some(({ dependencies }) =>
    dependencies.some(({ module, resolved }) => module === 'obverse' && resolved === 'src/index.ts'),
  )
  const blind = [
    ...files.filter((file) => !seen.has(file)).map((file) => `${file} was not seen by the cruiser`),
    ...files
      .filter((file) => !governed.some(({ from }) => applies(from, file)))
      .map((file) => `${file} is in no rule: .dependency-cruiser.mjs must say what it may import`),
    ...(byName ? [] : ["no import from 'obverse' was resolved to src/index.ts, so no rule about it was checked"]),
  ]
  return { violations, blind, files: files.length }
}

/** The rules are JavaScript, because the cruiser's own command line reads them too (it draws the diagrams). */
export async function loadRules(): Promise<{ forbidden: Rule[]; options: Record<string, unknown> & Resolve }> {
  const file = new URL('../.dependency-cruiser.mjs', import.meta.url)
  return (await import(file.href)).default
}

interface Resolve {
  enhancedResolveOptions: { conditionNames: string[]; exportsFields: string[]; extensions: string[] }
}

/** Whether a rule speaks about this file's place; one about all of src does not say where a file belongs. */
function applies({ path = '', pathNot = [] }: Rule['from'], file: string): boolean {
  if (path === '^src/') return false
  return new RegExp(path).test(file) && ![pathNot].flat().some((not) => new RegExp(not).test(file))
}

function typescriptIn(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[mc]?tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((file) => !file.includes('node_modules/'))
}

if (import.meta.main) {
  const { violations, blind, files } = await checkArrows(join(import.meta.dirname, '..'))
  for (const { rule, reason, from, to } of violations) console.error(`${rule}: ${from} -> ${to}\n  ${reason}`)
  for (const problem of blind) console.error(`blind: ${problem}`)
  const bad = violations.length + blind.length
  console.log(bad === 0 ? `arrows: ${files} files, all as drawn` : `arrows: ${bad} problems in ${files} files`)
  process.exitCode = bad === 0 ? 0 : 1
}
