/**
 * A text as a column of ours can hold it: PostgreSQL has no NUL in texts, and no half of a surrogate pair. Everything that
 * writes or looks up an id, a key or a reason goes through here, so that both sides find each other; bodies are kept to the
 * byte, elsewhere.
 */
export function storable(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed()
  return whole.includes('\0') ? whole.replaceAll('\0', '\u{fffd}') : whole
}
