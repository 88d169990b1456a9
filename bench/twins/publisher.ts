import { connect } from 'amqplib'

/** A bare publisher: persistent messages to one quorum queue, confirmed, at most `inFlight` without an answer. */
export async function barePublisher(url: string, queue: string, inFlight: number, own = true) {
  const connection = await connect(url, { noDelay: true })
  const channel = await connection.createConfirmChannel()
  if (own) await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  return {
    publish: (bodies: readonly string[]) =>
      new Promise<void>((resolve, reject) => {
        let next = 0
        let confirmed = 0
        const fill = () => {
          while (next < bodies.length && next - confirmed < inFlight) {
            const body = Buffer.from(bodies[next] as string)
            next += 1
            channel.sendToQueue(queue, body, { persistent: true, contentType: 'application/json' }, (error) => {
              if (error) return reject(error)
              confirmed += 1
              if (confirmed === bodies.length) resolve()
              else fill()
            })
          }
        }
        fill()
      }),
    purge: () => channel.purgeQueue(queue),
    async close() {
      if (own) await channel.deleteQueue(queue)
      await connection.close()
    },
  }
}
