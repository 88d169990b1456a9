import { connect } from 'amqplib'

/** A bare consumer: prefetch 100, one acknowledgement for each message. Resolves when it has had `count` of them. */
export async function bareConsumer(url: string, queue: string) {
  const connection = await connect(url, { noDelay: true })
  return {
    async consume(count: number): Promise<void> {
      const channel = await connection.createChannel()
      await channel.prefetch(100)
      let seen = 0
      await new Promise<void>((resolve, reject) => {
        channel
          .consume(queue, (message) => {
            if (!message) return reject(new Error('cancelled'))
            JSON.parse(message.content.toString())
            channel.ack(message)
            seen += 1
            if (seen === count) resolve()
          })
          .catch(reject)
      })
      await channel.close()
    },
    close: () => connection.close(),
  }
}
