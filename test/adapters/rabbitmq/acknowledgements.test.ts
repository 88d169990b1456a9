import { seededRandom } from 'obverse/testing'
import { describe, expect, test } from 'vitest'
import { Acknowledgements, type SendAcknowledgement } from '../../../src/adapters/rabbitmq/acknowledgements.ts'

/** The other side: deliveries that are open, and what an acknowledgement does to them. */
class Server {
  readonly open = new Set<number>()
  readonly mistakes: string[] = []
  sent = 0

  readonly take: SendAcknowledgement = (tag, andEarlier) => {
    this.sent += 1
    if (!this.open.has(tag)) this.mistakes.push(`unknown delivery tag ${tag}`)
    for (const one of [...this.open]) if (one === tag || (andEarlier && one < tag)) this.open.delete(one)
  }
}

interface Settling {
  settle(tag: number): unknown
  flush(): void
}

/** Handlers side by side that take as long as chance will have it; true: nothing that still ran was acknowledged. */
function run(seed: number, make: (server: Server) => Settling): { readonly server: Server; readonly lost: number[] } {
  const random = seededRandom(seed)
  const server = new Server()
  const acknowledgements = make(server)
  const running: number[] = []
  const lost: number[] = []
  let next = 0
  while (next < 400 || running.length > 0) {
    for (let count = Math.floor(random() * 6); count > 0 && next < 400 && running.length < 20; count -= 1) {
      next += 1
      server.open.add(next)
      running.push(next)
    }
    for (let count = Math.floor(random() * 5); count > 0 && running.length > 0; count -= 1) {
      const [tag = 0] = running.splice(Math.floor(random() * running.length), 1)
      acknowledgements.settle(tag)
    }
    if (random() < 0.5) acknowledgements.flush()
    lost.push(...running.filter((tag) => !server.open.has(tag)))
  }
  acknowledgements.flush()
  return { server, lost }
}

const SEEDS = Array.from({ length: 50 }, (_, seed) => seed)

describe('acknowledgements', () => {
  test('never settle what still runs, leave nothing open and name no delivery twice', () => {
    for (const seed of SEEDS) {
      const { server, lost } = run(seed, ({ take }) => new Acknowledgements(take))
      expect({ seed, lost, open: [...server.open], mistakes: server.mistakes }).toEqual({
        seed,
        lost: [],
        open: [],
        mistakes: [],
      })
    }
  })

  test('of everything in order are one for a turn', () => {
    const server = new Server()
    const acknowledgements = new Acknowledgements(server.take)
    for (let tag = 1; tag <= 100; tag += 1) server.open.add(tag)
    for (let tag = 1; tag <= 100; tag += 1) acknowledgements.settle(tag)
    acknowledgements.flush()
    expect([server.sent, server.open.size]).toEqual([1, 0])
  })

  // the canary: cumulative up to the newest that is settled, as it is often written
  test('would be noticed if they settled what still runs', () => {
    const naive = ({ take }: Server): Settling => {
      let newest = 0
      return {
        settle: (tag) => {
          newest = Math.max(newest, tag)
        },
        flush: () => newest > 0 && take(newest, true),
      }
    }
    expect(SEEDS.every((seed) => run(seed, naive).lost.length > 0)).toBe(true)
  })
})
