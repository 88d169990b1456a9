import { request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/**
 * A request to RabbitMQ's HTTP API; `url` holds the credentials. On a connection of its own: one that was kept alive
 * would be dead after the broker's restart.
 */
export function management(url: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const { hostname, port, username, password } = new URL(url)
  const auth = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const headers = { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, method, path: `/api${path}`, auth, headers, agent: false, timeout: 10_000 },
      (got) => {
        let text = ''
        got.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        got.once('end', () =>
          resolve({ status: got.statusCode ?? 0, body: /^[[{]/.test(text) ? JSON.parse(text) : text }),
        )
      },
    )
    sent.once('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer in 10 s`)))
    sent.once('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
