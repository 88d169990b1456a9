import type { Document } from 'mongodb'
import type { Finding } from 'obverse'
import type { Connection } from './connection.ts'

/** What the adapter does, as MongoDB calls it. The role readWrite has them all. */
const ACTIONS = [
  'find',
  'insert',
  'update',
  'remove',
  'createCollection',
  'createIndex',
  'dropCollection',
  'listCollections',
  'listIndexes',
] as const

/** What the user of the connection may not do. Servers without users say nothing of rights. */
export async function examineRights({ db }: Connection): Promise<readonly Finding[]> {
  let info: Document
  try {
    info = (await db.command({ connectionStatus: 1, showPrivileges: true })).authInfo ?? {}
  } catch {
    return []
  }
  const users: readonly Document[] = info.authenticatedUsers ?? []
  if (users.length === 0 || info.authenticatedUserPrivileges === undefined) return []
  const granted = new Set<string>()
  for (const { resource, actions } of info.authenticatedUserPrivileges as readonly Document[]) {
    const everywhere = resource.anyResource === true || (resource.db === '' && resource.collection === '')
    const here = resource.db === db.databaseName && resource.collection === ''
    if (everywhere || here) for (const action of actions as readonly string[]) granted.add(action)
  }
  const who = users.map(({ user }) => String(user)).join(', ')
  const missing = ACTIONS.filter((action) => !granted.has(action) && !granted.has('anyAction'))
  const subject = 'mongodb rights'
  if (missing.length === 0) return [{ level: 'ok', subject, says: `${who} may do what is needed` }]
  return [
    {
      level: 'error',
      subject,
      says: `${who} may not ${missing.join(', ')} in ${db.databaseName}`,
      remedy: `Run in mongosh: db.grantRolesToUser('${who}', [{ role: 'readWrite', db: '${db.databaseName}' }])`,
    },
  ]
}
