import { connect } from 'node:net'

export interface Load {
  readonly port: number
  readonly connections: number
  readonly milliseconds: number
  /** Body of each POST. */
  readonly body: string
  readonly path: string
  /** What every answer must begin with; anything else ends the run: a fast error is no result. */
  readonly status: string
}

/**
 * Posts over keep-alive connections, each one request at a time, and returns answers per second. Written on sockets,
 * because a client library would use more of the two cores than the server.
 */
export async function postLoad(load: Load): Promise<number> {
  const { port, connections, milliseconds, body, path, status } = load
  const request = Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  let answered = 0
  const start = performance.now()
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      let received = ''
      socket.setNoDelay(true)
      socket.on('connect', () => socket.write(request))
      socket.on('error', reject)
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1')
        const end = received.indexOf('\r\n\r\n')
        if (end < 0) return
        const length = /content-length: (\d+)/i.exec(received)?.[1]
        if (length === undefined || received.length < end + 4 + Number(length)) return
        if (!received.startsWith(`HTTP/1.1 ${status}`)) return reject(new Error(`Unexpected answer: ${received}`))
        received = ''
        answered += 1
        if (performance.now() - start < milliseconds) socket.write(request)
        else {
          socket.end()
          resolve()
        }
      })
    })
  await Promise.all(Array.from({ length: connections }, one))
  return (answered / (performance.now() - start)) * 1_000
}
