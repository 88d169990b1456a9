import { type App, type AppOptions, createApp } from 'obverse'
import { ALONE, applying, type Enters, entering, SHARED, type Work } from './handlers.ts'
import { migrations } from './tables.ts'
import { projections } from './views.ts'

export type LedgerApp = App<Enters>

/** The application under fire: one command, two handlers of its event, three projections. The same on every stack. */
export function createLedger(
  parts: Pick<AppOptions<[]>, 'store' | 'broker' | 'views' | 'runtime' | 'observe'>,
  partitions: number,
  work: Work,
  heedless = false,
): LedgerApp {
  // short delays: what is tested is that they survive, not how long they are
  const channel = { retry: { retries: 5, delay: 20, factor: 1.5 }, partitions }
  return createApp({
    name: 'ledger',
    handlers: [entering(heedless), applying(ALONE, work), applying(SHARED, work)],
    projections,
    migrations,
    channels: { [ALONE]: channel, [SHARED]: channel },
    ...parts,
  })
}
