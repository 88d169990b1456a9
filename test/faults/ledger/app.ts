import { type App, type AppOptions, createApp } from 'obverse'
import { ALONE, applying, enter, SHARED } from './handlers.ts'
import { migrations } from './tables.ts'
import { projections } from './views.ts'

export type LedgerApp = App<typeof enter>

/** The application under fire: one command, two handlers of its event, three projections. The same on every stack. */
export function createLedger(
  parts: Pick<AppOptions<[]>, 'store' | 'broker' | 'views' | 'runtime' | 'observe'>,
  partitions: number,
  pause: () => Promise<void>,
): LedgerApp {
  // short delays: what is tested is that they survive, not how long they are
  const channel = { retry: { retries: 5, delay: 20, factor: 1.5 }, partitions }
  return createApp({
    name: 'ledger',
    handlers: [enter, applying(ALONE, pause), applying(SHARED, pause)],
    projections,
    migrations,
    channels: { [ALONE]: channel, [SHARED]: channel },
    ...parts,
  })
}
