import type { MongoClient } from 'mongodb'

/** How often a client has lost a server, as far as anybody noticed. */
export interface Losses {
  count: number
}

const watched = new WeakMap<MongoClient, Losses>()

/** One count for each client, however many use it: what one of them notices is true for all. */
export function lossesOf(client: MongoClient): Losses {
  const known = watched.get(client)
  if (known) return known
  const losses = { count: 0 }
  watched.set(client, losses)
  const lost = () => {
    losses.count += 1
  }
  client.on('connectionPoolCleared', lost)
  // an idle connection that ends is all there is to see of a quick restart
  client.on('connectionClosed', ({ reason }) => {
    if (reason === 'error' || reason === 'stale') lost()
  })
  return losses
}
