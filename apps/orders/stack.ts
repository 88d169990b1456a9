/** On what the application runs: one data file, or PostgreSQL, RabbitMQ and MongoDB. */
export const STACKS = ['embedded', 'servers'] as const
export type Stack = (typeof STACKS)[number]

export function isStack(text: string): text is Stack {
  return (STACKS as readonly string[]).includes(text)
}
