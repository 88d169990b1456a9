import type { Description } from 'obverse'

/** Names of what takes the messages of a channel: handlers, then projections, with the types they take. */
export function fedBy(
  { handlers, projections }: Description,
  channel: string,
): readonly { readonly name: string; readonly types: readonly string[] }[] {
  return [
    ...handlers.filter((one) => one.channel === channel).map(({ name, type }) => ({ name, types: [type] })),
    ...projections.filter(({ feed }) => feed === `channel ${channel}`),
  ]
}
