import { createRegistry, type OpenStore, systemRuntime } from 'obverse'
import { postgres } from 'obverse/postgres'
import { newEvent } from './new-event.ts'
import { pump, type Question, rate, type Sides } from './question.ts'
import { newDatabase } from './servers.ts'
import { type AppendTwin, coalescing, oneByOne } from './twins/append-postgres.ts'

export const appendPostgres1: Question = {
  name: 'append-postgres-1',
  asks: 'append of one event and its outbox row to PostgreSQL, 1 in flight, beside one prepared CTE',
  unit: 'appends/s',
  reach: 0.85,
  prepare: () => sides(1, (url) => oneByOne(url, 1)),
}

export const appendPostgres10: Question = {
  name: 'append-postgres-10',
  asks: 'the same with 10 in flight, beside one prepared CTE per event on 10 connections',
  unit: 'appends/s',
  reach: 1.5,
  prepare: () => sides(10, (url) => oneByOne(url, 10)),
}

export const appendPostgres100: Question = {
  name: 'append-postgres-100',
  asks: 'the same with 100 in flight, beside a hand-written appender that coalesces them by unnest',
  unit: 'appends/s',
  reach: 0.8,
  prepare: () => sides(100, coalescing),
}

/** Both write the same tables with the same indexes, each in a database of its own, and call the event-store layer. */
async function sides(inFlight: number, makeTwin: (url: string) => AppendTwin | Promise<AppendTwin>): Promise<Sides> {
  const [url, twinUrl] = [await newDatabase(), await newDatabase()]
  const ours = await opened(url)
  await (await opened(twinUrl)).close()
  const twin = await makeTwin(twinUrl)
  const entry = { name: 'bench' }
  const append = () => {
    const event = newEvent()
    return ours.transactions.commit(entry, { events: [event], messages: [], expected: new Map([[event.key, 0]]) })
  }
  return {
    ours: () => rate(1_200, 512, (count) => pump(count, inFlight, append)),
    twin: () => rate(1_200, 512, (count) => pump(count, inFlight, () => twin.append(newEvent(), 0))),
    async close() {
      await ours.close()
      await twin.close()
    },
  }
}

async function opened(url: string): Promise<OpenStore> {
  const store = await postgres(url).open({ runtime: systemRuntime, registry: createRegistry([]), relayed: true })
  await store.schema.migrate([])
  return store
}
