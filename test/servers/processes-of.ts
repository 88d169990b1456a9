import { existsSync, readdirSync, readFileSync } from 'node:fs'

export const canLook: boolean = existsSync('/proc/self/environ')

/** The processes that know a folder, zombies aside: by what they were started with, whoever is their parent by now. */
export function processesOf(folder: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return []
    try {
      const started = ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8')).join(' ')
      return started.includes(folder) ? [started.replaceAll('\0', ' ').slice(0, 200)] : []
    } catch {
      return [] // it ended meanwhile
    }
  })
}
