import { connect } from 'node:net'

export interface Load {
  readonly port: number
  readonly connections: number
  readonly milliseconds: number
  /** Sent one after the other, and again from the first. */
  readonly requests: readonly Buffer[]
  /** What every answer must begin with; anything else ends the run: a fast error is no result. */
  readonly status: string
}

export function postRequest(path: string, body: object): Buffer {
  const text = JSON.stringify(body)
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  )
}

export function getRequest(path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
}

/**
 * Sends over keep-alive connections, each one request at a time, and returns answers per second. Written on sockets,
 * because a client library would use more of the two cores than the server.
 */
export async function httpLoad(load: Load): Promise<number> {
  const { port, connections, milliseconds, requests, status } = load
  let answered = 0
  let sent = 0
  const next = () => requests[sent++ % requests.length] as Buffer
  const start = performance.now()
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      let received = ''
      socket.setNoDelay(true)
      socket.on('connect', () => socket.write(next()))
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
        if (performance.now() - start < milliseconds) socket.write(next())
        else {
          socket.end()
          resolve()
        }
      })
    })
  await Promise.all(Array.from({ length: connections }, one))
  return (answered / (performance.now() - start)) * 1_000
}
