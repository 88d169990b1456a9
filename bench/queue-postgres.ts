import { underLoad } from './job-queue.ts'
import { obverseQueue } from './ours/queue-postgres.ts'
import type { Question } from './question.ts'
import { graphileQueue } from './twins/graphile-worker.ts'
import { bossQueue } from './twins/pg-boss.ts'

/** The twin is the better of the two in each part for itself, and each of them is set up anew for each load. */
export const queuePostgres: Question = {
  name: 'queue-postgres',
  asks: 'a job from end to end on PostgreSQL, at 200/s and flat out, beside the better of pg-boss and graphile-worker',
  unit: 'jobs/s',
  reach: 1,
  async prepare() {
    const ours = await underLoad(obverseQueue)
    const boss = await underLoad(bossQueue)
    const graphile = await underLoad(graphileQueue)
    return {
      ours: ours.run,
      async twin() {
        const [a, b] = [await boss.run(), await graphile.run()]
        return { p50: Math.min(a.p50, b.p50), p99: Math.min(a.p99, b.p99), rate: Math.max(a.rate, b.rate) }
      },
      peers: {
        'pg-boss': boss.flatOut,
        'graphile-worker': graphile.flatOut,
      },
      async close() {
        await Promise.all([ours.close(), boss.close(), graphile.close()])
      },
    }
  },
}
