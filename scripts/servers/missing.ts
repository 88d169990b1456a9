import { NAMES, type ServerName } from './name.ts'

/** A server cannot be had on this machine: `reason` says what is missing, `remedy` what to do about it. */
export class ServerMissing extends Error {
  override readonly name = 'ServerMissing'
  readonly server: ServerName
  readonly reason: string
  readonly remedy: string

  constructor(server: ServerName, reason: string, remedy: string = bring(server)) {
    super(`${NAMES[server].title} cannot be had: ${reason}. ${remedy}.`)
    this.server = server
    this.reason = reason
    this.remedy = remedy
  }
}

/** The command that gets what a server needs. */
export function bring(server: ServerName): string {
  return `On Debian, as root, \`npm run servers -- up ${server} --install\` brings it`
}
