import { connect, createServer, type Socket } from 'node:net'

export type Direction = 'to server' | 'to client'

/** A way to a server that can be cut at any byte, and be silent in one direction, as no server can be told to. */
export interface Link {
  /** The address by which clients come through here. */
  readonly url: string
  /** Connections that were cut so far. */
  readonly cuts: number
  /** Lets so many bytes more pass in that direction, of all connections together, and resets the one that carries the last of them. */
  cutAfter(bytes: number, direction: Direction): void
  /** From now on nothing arrives in that direction, on connections that are made meanwhile too. */
  silence(direction: Direction): void
  /** What was held back arrives, as what is sent again after a loss; of connections that were given up it is lost. */
  restore(): void
  close(): Promise<void>
}

interface Pipe {
  readonly direction: Direction
  readonly from: Socket
  readonly to: Socket
  held: Buffer[]
}

/** `url`: that of the server, with host and port. */
export async function createLink(url: string): Promise<Link> {
  const target = new URL(url)
  const pipes = new Set<Pipe>()
  let cut: { left: number; readonly direction: Direction } | undefined
  let silent: Direction | undefined
  let cuts = 0

  const end = (pipe: Pipe) => {
    for (const one of pipes) if (one.from === pipe.from || one.from === pipe.to) pipes.delete(one)
    pipe.from.destroy()
    pipe.to.destroy()
  }
  const carry = (pipe: Pipe, bytes: Buffer) => {
    if (pipe.direction === silent) {
      pipe.held.push(bytes)
      return
    }
    if (cut?.direction !== pipe.direction) return void pipe.to.write(bytes)
    const whole = bytes.length < cut.left
    const part = whole ? bytes : bytes.subarray(0, cut.left)
    cut.left -= part.length
    if (whole) return void pipe.to.write(part)
    cut = undefined
    cuts += 1
    // the part must leave before the connection does
    pipe.to.write(part, () => end(pipe))
    pipe.from.resetAndDestroy()
  }
  const join = (direction: Direction, from: Socket, to: Socket) => {
    const pipe: Pipe = { direction, from, to, held: [] }
    pipes.add(pipe)
    from.setNoDelay(true)
    from.on('data', (bytes: Buffer) => carry(pipe, bytes))
    from.on('error', () => end(pipe))
    from.on('close', () => end(pipe))
    from.on('end', () => (pipe.held.length > 0 ? end(pipe) : to.end()))
  }
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const onward = connect({ host: target.hostname, port: Number(target.port), allowHalfOpen: true })
    join('to server', client, onward)
    join('to client', onward, client)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as { port: number }

  return {
    url: Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href,
    get cuts() {
      return cuts
    },
    cutAfter(bytes, direction) {
      cut = { left: bytes, direction }
    },
    silence(direction) {
      silent = direction
    },
    restore() {
      silent = undefined
      for (const pipe of pipes) {
        const held = pipe.held
        pipe.held = []
        for (const bytes of held) carry(pipe, bytes)
      }
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const pipe of pipes) end(pipe)
      await closed
    },
  }
}
