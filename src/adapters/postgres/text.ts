/**
 * A text as a column of ours can hold it: PostgreSQL has no NUL in texts. Everything that writes or looks up an id, a key or
 * a reason goes through here, so that both sides find each other; bodies are kept to the byte, elsewhere.
 */
export function storable(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\u{fffd}') : text
}
