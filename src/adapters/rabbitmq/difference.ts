import { saidBy } from './failure.ts'

export type ArgumentValue = string | number | boolean

/** What a queue or exchange has, where something else is wanted. */
export interface Difference {
  readonly kind: 'queue' | 'exchange'
  readonly of: string
  readonly argument: string
  /** Undefined: none. */
  readonly wanted: ArgumentValue | undefined
  readonly found: ArgumentValue | undefined
}

const INEQUIVALENT =
  /inequivalent arg '([^']+)' for (queue|exchange) '([^']+)' in vhost '.*': received (.+) but current is (.+)$/s

/** Reads the server's refusal to declare something that exists otherwise; it names one difference at a time. */
export function differenceIn(error: unknown): Difference | undefined {
  const { code, reason } = saidBy(error)
  const [, argument, kind, of, wanted, found] = (code === 406 && INEQUIVALENT.exec(reason)) || []
  if (argument === undefined || of === undefined || wanted === undefined || found === undefined) return undefined
  return { kind: kind as Difference['kind'], of, argument, wanted: valueIn(wanted), found: valueIn(found) }
}

function valueIn(text: string): ArgumentValue | undefined {
  if (text === 'none') return undefined
  const value = /^(?:the value )?'(.*?)'(?: of type '.*')?$/s.exec(text)?.[1] ?? text
  if (value === 'true' || value === 'false') return value === 'true'
  return /^-?\d{1,15}$/.test(value) ? Number(value) : value
}

/** `orders_events has x-queue-type classic where quorum is wanted`. */
export function differenceText({ kind, of, argument, wanted, found }: Difference): string {
  const has = found === undefined ? `no ${argument}` : `${argument} ${valueText(found)}`
  const want = wanted === undefined ? 'none' : valueText(wanted)
  return `the ${kind} ${of} has ${has} where ${want} is wanted`
}

function valueText(value: ArgumentValue): string {
  return value === '' ? "''" : String(value)
}

const REMEDIES: Readonly<Record<string, string>> = {
  'x-queue-type': 'or set the option `queues` to the type that is there',
  'x-single-active-consumer': 'or set `ordered` of the channel as it was',
  'x-delivery-limit': 'or set the option `deliveryLimit` to the number that is there',
  'x-dead-letter-routing-key': 'or set the option `failed` to the name that is there',
  'x-dead-letter-exchange': 'or set the option `exchange` to the name that is there',
}

/** What to do about differences of one queue or exchange. */
export function differenceRemedy(differences: readonly Difference[]): string {
  const [first] = differences
  const what = first?.kind === 'exchange' ? 'Delete the exchange' : 'Drain the queue and delete it'
  const command =
    first?.kind === 'exchange'
      ? `: rabbitmqadmin delete exchange name=${first.of}`
      : `: rabbitmqctl delete_queue ${first?.of}`
  const other = [...new Set(differences.flatMap(({ argument }) => REMEDIES[argument] ?? []))]
  return [`${what}${command}; it is declared anew at the next start`, ...other].join('; ')
}
