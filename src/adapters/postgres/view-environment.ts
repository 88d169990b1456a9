import type { Environment } from './environment.ts'

/** What views need of a store, or of a database of their own. */
export type ViewEnvironment = Pick<Environment, 'runtime' | 'sessions' | 'reader' | 'writer'>
