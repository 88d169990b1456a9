// Amounts are numbers with at most two decimals outside and whole cents inside: a sum of floats is not a sum of money.

/** Whole cents of an amount that has at most two decimals. */
export function centsOf(amount: number): number {
  return Math.round(amount * 100) + 0 // + 0: no minus zero
}

export function hasCents(amount: number): boolean {
  return centsOf(amount) / 100 === amount
}

/** The number nearest to an amount of cents: exact as long as a JSON number can be, about 70,000,000,000,000. */
export function amountOf(cents: bigint | number): number {
  const text = String(cents).padStart(3, '0')
  return Number(`${text.slice(0, -2)}.${text.slice(-2)}`)
}

/** What the items cost together, in cents: a bigint, for a million pieces of the dearest product exceed a float. */
export function totalCents(items: readonly { readonly quantity: number; readonly price: number }[]): bigint {
  return items.reduce((sum, { quantity, price }) => sum + BigInt(quantity) * BigInt(centsOf(price)), 0n)
}
