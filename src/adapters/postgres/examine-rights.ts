import type { Finding } from 'obverse'
import type { Environment } from './environment.ts'
import { statement } from './statement.ts'
import { quoted, VIEW_PREFIX } from './view-name.ts'

/** Tables of views are looked at where views are. */
const LACKING = statement(
  'examine-rights',
  `SELECT c.relname::text AS name, c.relkind::text AS kind, current_schema()::text AS schema,
     array_to_string(ARRAY(SELECT r FROM unnest(CASE c.relkind WHEN 'S' THEN ARRAY['USAGE']
         ELSE ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'] END) AS r
       WHERE NOT CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, r) ELSE has_table_privilege(c.oid, r) END),
       ', ') AS lacking
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'S') AND starts_with(c.relname, 'obverse_')
     AND NOT starts_with(c.relname, $1) ORDER BY c.relname`,
)

interface Thing {
  readonly name: string
  readonly kind: string
  readonly schema: string
  readonly lacking: string
}

/** What the user of the connection may not do with our tables. */
export async function examineRights({ reader }: Environment, user: string): Promise<readonly Finding[]> {
  const things = await reader.all<Thing>(LACKING, [VIEW_PREFIX])
  const lacking = things.filter((thing) => thing.lacking !== '')
  const subject = 'postgres rights'
  const [first] = lacking
  if (!first) return [{ level: 'ok', subject, says: `${user} may do what is needed with ${things.length} tables` }]
  const says = lacking.map((thing) => `${thing.lacking} on ${thing.name}`).join('; ')
  const schema = `IN SCHEMA ${quoted(first.schema)} TO ${quoted(user)}`
  return [
    {
      level: 'error',
      subject,
      says: `${user} may not ${says}`,
      remedy: `Run GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES ${schema}; GRANT USAGE ON ALL SEQUENCES ${schema}`,
    },
  ]
}
