import { z } from 'zod'
import { hasCents } from './money.ts'

// The fields that commands, events and answers share, with the limits of the API.

/** In words, where the library would only say which type it received. */
const required = (issue: { readonly input?: unknown }): string | undefined =>
  issue.input === undefined ? 'is required' : undefined

/** Fields that do not belong here, each told under its own name. */
export const unknownField = (issue: { readonly code?: string; readonly input?: unknown }): string | undefined =>
  issue.code === 'unrecognized_keys' ? 'is not a field of this request' : required(issue)

const TEXT_LENGTH = 255

/** What a person types: not only blanks, and nothing that a database would cut short or change. */
const Text = z
  .string({ error: required })
  .refine((text) => text.trim() !== '', 'must not be blank')
  .refine(
    (text) => text.length <= 2 * TEXT_LENGTH && [...text].length <= TEXT_LENGTH,
    `must have at most ${TEXT_LENGTH} characters`,
  )
  .refine((text) => !text.includes('\0') && text.isWellFormed(), 'must not contain NUL or half a character')
  .meta({ minLength: 1, maxLength: TEXT_LENGTH })

export const CustomerName = Text.meta({ examples: ['John Doe'], minLength: 1, maxLength: TEXT_LENGTH })
export const CustomerEmail = z.email({ error: (issue) => required(issue) ?? 'must be an email address' }).max(320)

export const STATUSES = ['pending', 'processing', 'completed', 'cancelled'] as const
export type Status = (typeof STATUSES)[number]
export const Status = z.enum(STATUSES)

export const Item = z.strictObject(
  {
    product: Text.meta({ examples: ['Laptop'], minLength: 1, maxLength: TEXT_LENGTH }),
    quantity: z.int({ error: required }).min(1).max(1_000_000),
    price: z
      .number({ error: required })
      .min(0)
      .max(1_000_000_000)
      .refine(hasCents, 'must have at most two decimals')
      .meta({ examples: [999.99] }),
  },
  { error: unknownField },
)
export type Item = z.infer<typeof Item>

/** The most that the items of one order may cost together: what 64 bits of cents can hold, rounded down. */
const MOST = 90_000_000_000_000_000

export const Items = z
  .array(Item, { error: required })
  .min(1, 'needs at least one item')
  .refine(
    (items) => items.reduce((sum, { quantity, price }) => sum + quantity * price, 0) <= MOST,
    `must not cost more than ${MOST} together`,
  )
