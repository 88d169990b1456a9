// Who flies with whom, without a server.
import { describe, expect, test } from 'vitest'
import { ofOneKind } from '../../../src/adapters/postgres/appending.ts'
import { Group } from '../../../src/adapters/postgres/group.ts'

describe('a group', () => {
  const flown = async (members: readonly number[], limit: number, choice?: () => (member: number) => boolean) => {
    const flights: number[][] = []
    const group = new Group<number>({
      limit,
      flights: 1,
      ...(choice && { choice }),
      fly: async (some) => {
        flights.push([...some])
      },
    })
    for (const member of members) group.add(member)
    await group.settled()
    return flights
  }
  const noTwoEqual = () => {
    const seen = new Set<number>()
    return (member: number) => !seen.has(member) && seen.add(member) !== undefined
  }

  test('flies up to its limit, in the order of coming', async () => {
    expect(await flown([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]])
    expect(await flown([1, 2, 3, 4, 5], 2, noTwoEqual)).toEqual([[1, 2], [3, 4], [5]])
  })

  test('leaves those who may not fly for later, before those who came after them', async () => {
    expect(await flown([1, 1, 2, 1, 3], 2, noTwoEqual)).toEqual([[1, 2], [1, 3], [1]])
  })

  test('asks nobody for whom there is no room', async () => {
    const asked: number[][] = []
    const choice = () => {
      const round: number[] = []
      asked.push(round)
      return (member: number) => round.push(member) > 0
    }
    await flown([1, 2, 3, 4, 5], 2, choice)
    expect(asked).toEqual([[1, 2], [3, 4], [5]])
  })
})

describe('units that fly together', () => {
  const append = (key: string) => ({ appending: { key, expected: null, events: [] } })
  const other = { appending: undefined }

  test('are appends of different keys, or none of them is an append', () => {
    const appends = ofOneKind()
    expect([append('a'), append('b'), append('a'), other, append('c')].map(appends)).toEqual([
      true,
      true,
      false,
      false,
      true,
    ])
    expect([other, append('a'), other].map(ofOneKind())).toEqual([true, false, true])
  })
})
