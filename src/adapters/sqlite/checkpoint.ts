import type { Checkpoints, Generation } from 'obverse'
import type { Connection } from './connection.ts'
import { type Environment, guards } from './environment.ts'

const GET = 'SELECT position FROM obverse_checkpoint WHERE name = ?'
const ALL = 'SELECT name, position FROM obverse_checkpoint ORDER BY name'
const START = 'INSERT INTO obverse_checkpoint (name, position) VALUES (?, ?) ON CONFLICT DO NOTHING'
const MOVE = 'UPDATE obverse_checkpoint SET position = ? WHERE name = ? AND position = ?'
const SET =
  'INSERT INTO obverse_checkpoint (name, position) VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position'
const REMOVE = 'DELETE FROM obverse_checkpoint WHERE name = ?'
const GENERATION = 'SELECT serving, building, follow_to, previous FROM obverse_generation WHERE view = ?'
const SET_GENERATION = `INSERT INTO obverse_generation (view, serving, building, follow_to, previous)
  VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET serving = excluded.serving, building = excluded.building,
  follow_to = excluded.follow_to, previous = excluded.previous`

export function checkpoints(environment: Environment): Checkpoints {
  const { reader, writer } = environment
  const { connection: c } = writer
  const fenced = guards(environment, 'checkpoint-fence')
  return {
    get: (name) => reader.read((r) => r.get<{ position: number }>(GET, name)?.position ?? 0),
    advance: (name, from, to) =>
      writer.submit(() => {
        if (!fenced) return c.run(SET, name, to) === 1
        if (c.run(MOVE, to, name, from) === 1) return true
        return from === 0 && c.run(START, name, to) === 1
      }),
    remove: (name) =>
      writer.submit(() => {
        c.run(REMOVE, name)
      }),
    all: () => reader.read((r) => r.all<{ name: string; position: number }>(ALL).map((row) => ({ ...row }))),
    generation: (view) => reader.read((r) => generationOf(r, view)),
    setGeneration: (view, expected, next) =>
      writer.submit(() => {
        if (!same(generationOf(c, view), expected)) return false
        c.run(SET_GENERATION, view, next.serving, next.building ?? null, next.followTo ?? null, next.previous ?? null)
        return true
      }),
  }
}

interface Row {
  readonly serving: number
  readonly building: number | null
  readonly follow_to: number | null
  readonly previous: number | null
}

export function generationOf(c: Connection, view: string): Generation {
  const row = c.get<Row>(GENERATION, view)
  if (!row) return { serving: 1 }
  return {
    serving: row.serving,
    ...(row.building !== null && { building: row.building }),
    ...(row.follow_to !== null && { followTo: row.follow_to }),
    ...(row.previous !== null && { previous: row.previous }),
  }
}

function same(a: Generation, b: Generation): boolean {
  return a.serving === b.serving && a.building === b.building && a.followTo === b.followTo && a.previous === b.previous
}
