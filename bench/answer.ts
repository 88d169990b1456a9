import { rmSync } from 'node:fs'
import { ServerMissing } from '../scripts/servers/missing.ts'
import { type CompareOptions, compare } from './compare.ts'
import { benchFolder, fsyncMicroseconds } from './disk.ts'
import type { Question, Sides, Unanswerable } from './question.ts'
import { thisMachine } from './report/machine.ts'
import type { Result } from './report/result.ts'
import { usedServers } from './servers.ts'

/** Measures one question on this machine, in a folder that is gone afterwards. */
export async function answer(question: Question, options: CompareOptions): Promise<Result> {
  const folder = benchFolder(question.name)
  const fsync = fsyncMicroseconds(folder)
  usedServers()
  try {
    const sides = await prepare(question, folder)
    if ('why' in sides) return { name: question.name, ratio: null, why: sides.why }
    try {
      const compared = await compare(question, sides, options)
      return { ...compared, on: new Date().toISOString().slice(0, 10), machine: thisMachine(fsync, usedServers()) }
    } finally {
      await sides.close?.()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where a server cannot be had the question is not answered; `ServerMissing` says what brings it. */
async function prepare(question: Question, folder: string): Promise<Sides | Unanswerable> {
  try {
    return await question.prepare(folder)
  } catch (error) {
    if (error instanceof ServerMissing) return { why: error.message }
    throw error
  }
}
