import type { Finding, ViewShape } from 'obverse'
import type { Connection } from './connection.ts'
import type { RowDocument } from './document.ts'
import { type IndexSpec, indexSpecs, isMade, isOurs, lookupFields } from './index-spec.ts'
import { generationIn } from './name.ts'
import { indexesOf, lacking } from './prepare.ts'

/** Compares the indexes of every generation of a view with its look-ups. */
export async function examineIndexes(connection: Connection, shape: ViewShape): Promise<readonly Finding[]> {
  const there = await connection.db.listCollections({}, { nameOnly: true }).toArray()
  const names = there.map(({ name }) => name).filter((name) => generationIn(name, shape.name) !== undefined)
  const findings: Finding[] = []
  for (const name of names.sort()) findings.push(...(await examineOne(connection, name, shape)))
  if (findings.length > 0 || names.length === 0) return findings
  const says = `every look-up has its index in ${names.join(', ')}`
  return [{ level: 'ok', subject: `view ${shape.name}`, says }]
}

async function examineOne(connection: Connection, name: string, shape: ViewShape): Promise<readonly Finding[]> {
  const collection = await connection.collection<RowDocument>(name)
  const there = (await indexesOf(collection)) ?? []
  const specs = indexSpecs(shape)
  const subject = `view ${shape.name}`
  const findings: Finding[] = []
  for (const spec of specs) {
    if (there.some((index) => isMade(spec, index))) continue
    const other = there.find((index) => index.name === spec.name)
    findings.push({
      level: 'error',
      subject,
      says: other
        ? `the index ${spec.name} of ${name} is not as declared`
        : `${name} lacks the index ${spec.name}: a look-up reads every row`,
      remedy: `Run in mongosh: ${other ? `${dropping(name, spec.name)}; ` : ''}${making(name, spec)}`,
    })
  }
  for (const index of there.filter(isOurs)) {
    if (specs.some((spec) => spec.name === index.name)) continue
    findings.push({
      level: 'warning',
      subject,
      says: `${name} has the index ${index.name}, which no look-up of this version needs`,
      remedy: `When no other version runs any more, run in mongosh: ${dropping(name, String(index.name))}`,
    })
  }
  const fields = lookupFields(shape)
  const blank = fields.length > 0 && (await collection.findOne(lacking(fields), { projection: { _id: 1 } }))
  if (blank) {
    findings.push({
      level: 'warning',
      subject,
      says: `${name} has rows that a version without all these look-ups saved, as ${JSON.stringify(blank._id)}: they are looked up as if the field were missing`,
      remedy: 'When no other version runs any more, rebuild the projection: `obverse projections rebuild`',
    })
  }
  return findings
}

function making(name: string, { key, ...options }: IndexSpec): string {
  return `db.getCollection(${JSON.stringify(name)}).createIndex(${JSON.stringify(key)}, ${JSON.stringify(options)})`
}

function dropping(name: string, index: string): string {
  return `db.getCollection(${JSON.stringify(name)}).dropIndex(${JSON.stringify(index)})`
}
