// tsc never removes what it once wrote: a file renamed in src would be published twice.
import { rmSync } from 'node:fs'

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true })
