import type { Flags } from './flag.ts'

/** Flags that every command takes. */
export const GLOBAL_FLAGS: Flags = {
  app: { kind: 'text', value: 'FILE', about: 'the application: a module whose default export is (env) => App' },
  json: { kind: 'switch', about: 'for programs: JSON on standard output, errors too (on standard error)' },
  verbose: { kind: 'level', short: 'v', about: 'more detail; -vv adds the stack to an error' },
  help: { kind: 'switch', short: 'h', about: 'this text' },
}
