import type { Finding, ViewShape } from 'obverse'
import { statement } from './statement.ts'
import { columnsOf } from './view-column.ts'
import type { ViewEnvironment } from './view-environment.ts'
import { indexesOf } from './view-index.ts'
import { generationIn, quoted, VIEW_PREFIX } from './view-name.ts'
import { layoutOf } from './view-table.ts'

const OLDEST = 130_000

const SERVER = statement(
  'view-server',
  `SELECT current_setting('server_version_num')::integer AS version, current_setting('server_version') AS named,
     current_setting('server_encoding') AS encoding, current_schema() AS schema, current_user AS "user",
     coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS makes, pg_is_in_recovery() AS standby`,
)
const TABLES = statement(
  'view-tables',
  `SELECT c.relname::text AS name, has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
       AND has_table_privilege(c.oid, 'UPDATE') AS granted,
     pg_has_role(c.relowner, 'USAGE') AS owned
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND c.relname LIKE $1 ORDER BY c.relname`,
)

interface Server {
  readonly version: number
  readonly named: string
  readonly encoding: string
  readonly schema: string | null
  readonly user: string
  readonly makes: boolean
  readonly standby: boolean
}

interface Table {
  readonly name: string
  readonly granted: boolean
  readonly owned: boolean
}

/** What of the server and of the tables is not as the views need it, and what to do. */
export async function examineViews(
  environment: ViewEnvironment,
  shapes: readonly ViewShape[],
): Promise<readonly Finding[]> {
  const { reader, sessions } = environment
  const server = await reader.get<Server>(SERVER)
  const findings = server ? examineServer(sessions.server, server) : []
  const tables = await reader.all<Table>(TABLES, [`${VIEW_PREFIX.replaceAll('_', '\\_')}%`])
  for (const shape of shapes) {
    const own = tables.filter(({ name }) => generationIn(name, shape.name) !== undefined)
    const found: Finding[] = []
    for (const table of own) found.push(...(await examineTable(environment, shape, table)))
    if (found.length === 0 && own.length > 0) {
      const says = `every look-up has its index in ${own.map(({ name }) => name).join(', ')}`
      found.push({ level: 'ok', subject: `view ${shape.name}`, says })
    }
    findings.push(...found)
  }
  return findings
}

function examineServer(subject: string, server: Server): Finding[] {
  const { version, named, encoding, schema, user, makes, standby } = server
  const findings: Finding[] = []
  const wrong = (says: string, remedy: string) => findings.push({ level: 'error', subject, says, remedy })
  if (version < OLDEST) wrong(`it is PostgreSQL ${named}`, 'Run PostgreSQL 13 or newer')
  if (standby) wrong('it is a standby and takes no writes', 'Give the address of the primary')
  if (encoding !== 'UTF8') {
    wrong(
      `the database is encoded in ${encoding}: not every text can be kept, and none is ordered by code point`,
      "Make the database anew: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
    )
  }
  if (schema === null) {
    wrong('no schema of the search path exists', `Run ALTER ROLE ${quoted(user)} SET search_path, or make the schema`)
  } else if (!makes) {
    wrong(
      `${user} may not make tables in the schema ${schema}`,
      `Run GRANT CREATE ON SCHEMA ${quoted(schema)} TO ${quoted(user)}`,
    )
  }
  if (findings.length > 0) return findings
  return [{ level: 'ok', subject, says: `PostgreSQL ${named}, views in the schema ${schema}` }]
}

async function examineTable(
  { reader }: ViewEnvironment,
  shape: ViewShape,
  { name, granted, owned }: Table,
): Promise<Finding[]> {
  const subject = `view ${shape.name}`
  if (!granted || !owned) {
    const says = granted ? `${name} belongs to another user, so new look-ups cannot be made` : `${name} may not be used`
    const remedy = `Run ALTER TABLE ${quoted(name)} OWNER TO the user that Obverse connects as`
    return [{ level: granted ? 'warning' : 'error', subject, says, remedy }]
  }
  const layout = await layoutOf(reader, name)
  if (!layout) return []
  const findings: Finding[] = []
  const wanted = indexesOf(shape, generationIn(name, shape.name) as number)
  for (const index of wanted) {
    if (layout.indexes.has(index.name)) continue
    findings.push({
      level: 'warning',
      subject,
      says: `${name} lacks the index ${index.name}, so ${index.serves} reads every row`,
      remedy: 'Start a process of this version: it makes the index when it opens the view',
    })
  }
  const known = new Set(columnsOf(shape).map((column) => column.name))
  const needless = layout.columns.filter((column) => !known.has(column.name)).map((column) => column.holds)
  const names = new Set(wanted.map((index) => index.name))
  const idle = [...layout.indexes].filter((index) => index.startsWith('obverse_by_') && !names.has(index))
  if (needless.length > 0 || idle.length > 0) {
    const says = `${name} keeps what no look-up of this version needs: ${[...needless, ...idle].join(', ')}`
    const remedy = 'When no other version runs any more, rebuild the projection: `obverse projections rebuild`'
    findings.push({ level: 'warning', subject, says, remedy })
  }
  return findings
}
