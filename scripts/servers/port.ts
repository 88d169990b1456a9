import { connect, createServer, type Server } from 'node:net'

/** As many ports as names, free a moment ago on 127.0.0.1; held open together, so that they differ. */
export async function freePorts(names: readonly string[]): Promise<Record<string, number>> {
  const servers = await Promise.all(names.map(listen))
  const ports = Object.fromEntries(
    names.map((name, at) => {
      const address = servers[at]?.address()
      if (!address || typeof address === 'string') throw new Error('a TCP server without a port')
      return [name, address.port]
    }),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

function listen(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
}

/**
 * Connects, sends, and hands what came back so far to `read` until it gives something; undefined when the other side
 * closes, is silent for a second, or is not there.
 */
export function ask<T>(port: number, bytes: Buffer, read: (answer: Buffer) => T | undefined): Promise<T | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let answer = Buffer.alloc(0)
    const end = (found?: T): void => {
      socket.destroy()
      resolve(found)
    }
    socket.setTimeout(1_000, () => end())
    socket.once('error', () => end())
    socket.once('close', () => end())
    socket.once('connect', () => socket.write(bytes))
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      const found = read(answer)
      if (found !== undefined) end(found)
    })
  })
}
