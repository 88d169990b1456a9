// The line that short statements share: what it was lent is given back, in whatever order a server's end becomes known.
import { expect, test } from 'vitest'
import type { Connection } from '../../../src/adapters/postgres/connection.ts'
import { Line } from '../../../src/adapters/postgres/line.ts'
import type { Sessions } from '../../../src/adapters/postgres/pool.ts'

interface Lent {
  readonly lost: () => void
  ended: boolean
}

/** Sessions of which the first one ends while it is prepared. */
function sessions(): { readonly lent: Lent[]; readonly sessions: Sessions } {
  const lent: Lent[] = []
  const keep: Sessions['keep'] = async (lost) => {
    const one: Lent = { lost, ended: false }
    const broken = lent.length === 0
    lent.push(one)
    const execute = async () => {
      if (broken) throw new Error('terminating connection due to administrator command')
      return 'SET'
    }
    return {
      connection: { execute } as unknown as Connection,
      end: () => {
        one.ended = true
      },
    }
  }
  return { lent, sessions: { server: 'nowhere', keep } as unknown as Sessions }
}

test('a session that says late that it is lost does not make the next one be forgotten', async () => {
  const { lent, sessions: source } = sessions()
  const line = new Line(source)
  await expect(line.connection()).rejects.toThrow('terminating connection')
  const connection = await line.connection()
  lent[0]?.lost()
  expect(await line.connection()).toBe(connection)
  await line.close()
  expect(lent.map(({ ended }) => ended)).toEqual([true, true])
})
