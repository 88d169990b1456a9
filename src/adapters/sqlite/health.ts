import { statSync } from 'node:fs'
import type { Health } from 'obverse'
import type { Environment } from './environment.ts'

/** A cheap read, and how large the file and its log are. */
export async function health({ reader, writer }: Environment): Promise<Health> {
  const { file } = writer
  try {
    await reader.read((c) => c.get('SELECT count(*) FROM sqlite_schema'))
    const sizes = file === ':memory:' ? '' : `, ${size(file)} and ${size(`${file}-wal`)} of log`
    return { ok: true, detail: `SQLite ${file}${sizes}` }
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) }
  }
}

function size(file: string): string {
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
