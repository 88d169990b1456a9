/** One SQL text under the name by which each connection prepares it, once. */
export interface Statement {
  readonly name: string
  readonly text: string
}

/** Names begin with `obverse.`, so that they meet no name of an application on the same connection. */
export function statement(name: string, text: string): Statement {
  return { name: `obverse.${name}`, text }
}
