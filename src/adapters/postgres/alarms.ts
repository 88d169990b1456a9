import { durationText, type Finding, oneLine } from 'obverse'
import type { Environment } from './environment.ts'
import { type DeadRows, type VacuumHolder, VacuumHolders } from './vacuum-holder.ts'
import { quoted } from './view-name.ts'

/** Characters of a statement that are shown. */
const SHOWN = 80

/**
 * What grows worse while nobody looks: somebody keeps dead rows of the queue from vacuum, and every look at it has to pass
 * them. One statement, cheap enough for every minute.
 */
export class Alarms {
  readonly #holders: VacuumHolders
  readonly #age: number

  constructor(environment: Pick<Environment, 'reader' | 'runtime' | 'settings'>) {
    this.#holders = new VacuumHolders(environment)
    this.#age = environment.settings.oldSnapshot
  }

  async look(): Promise<readonly Finding[]> {
    const holders = await this.#holders.olderThan(this.#age)
    if (holders.length === 0) return []
    const dead = await this.#holders.dead()
    return holders.map((holder) => findingOf(holder, dead))
  }

  /** In a few words without statements, which do not belong where anybody may look; `undefined`: all is well. */
  async brief(): Promise<string | undefined> {
    const [first, ...others] = await this.#holders.olderThan(this.#age)
    if (!first) return undefined
    const more = others.length > 0 ? `, and ${others.length} more` : ''
    return `${subjectOf(first)} keeps dead rows from vacuum${since(first)}${more}: see \`obverse doctor\``
  }
}

function findingOf(holder: VacuumHolder, dead: readonly DeadRows[]): Finding {
  const counts = dead.map(({ name, dead: count }) => `${count.toLocaleString('en')} in ${name}`).join(', ')
  const says = `${what(holder)}: vacuum keeps what has died since, ${counts}${shown(holder)}`
  return { level: 'warning', subject: subjectOf(holder), says, remedy: remedyOf(holder) }
}

function subjectOf({ kind, name }: VacuumHolder): string {
  switch (kind) {
    case 'session':
      return `session ${name}`
    case 'prepared':
      return `prepared transaction ${name}`
    case 'slot':
      return `replication slot ${name}`
    case 'standby':
      return `standby ${name}`
  }
}

function what(holder: VacuumHolder): string {
  const { kind, user, application, database, here, state, behind } = holder
  const who = `${user}${application ? ` (${application})` : ''} in ${database}`
  const open = `${since(holder)}, ${behind.toLocaleString('en')} transactions long`
  switch (kind) {
    case 'session':
      return here
        ? `${who} has a transaction open${open}, and is ${state}`
        : `${who} has been writing in a transaction${open}, is ${state}, and every snapshot taken here reaches back to it`
    case 'prepared':
      return `${who} has prepared it, and nobody has ended it${open}`
    case 'slot':
      return state === 'idle' ? `nobody reads from it${open}` : `a query on its standby has been running${open}`
    case 'standby':
      return `a query on it has been running${open}, and hot_standby_feedback is on there`
  }
}

function since({ ms }: VacuumHolder): string {
  return ms === undefined ? '' : ` for ${durationText(ms)}`
}

function shown({ statement }: VacuumHolder): string {
  const line = oneLine(statement ?? '').trim()
  if (line === '') return ''
  return `; its last statement: ${line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line}`
}

function remedyOf({ kind, name, pid, user, database, state }: VacuumHolder): string {
  switch (kind) {
    case 'session': {
      const role = `ALTER ROLE ${quoted(user ?? '')} SET`
      const limit = state === 'active' ? 'statement_timeout' : 'idle_in_transaction_session_timeout'
      return `End it where it was begun, or run SELECT pg_terminate_backend(${pid}); against the next one: ${role} ${limit} = '1min'`
    }
    case 'prepared':
      return `In the database ${database} run COMMIT PREPARED '${name.replaceAll("'", "''")}' or ROLLBACK PREPARED, as its transaction manager decides`
    case 'slot':
      return state === 'idle'
        ? `Start the standby that reads from it, or give it up: SELECT pg_drop_replication_slot('${name}')`
        : 'End the query on the standby, or set max_standby_streaming_delay there'
    case 'standby':
      return 'End the query on the standby, or switch hot_standby_feedback off there'
  }
}
