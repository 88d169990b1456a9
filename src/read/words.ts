/** Characters of one word that count. */
const LONGEST = 64
/** Characters of all words of one field that count: stores bound what they index, and none may bound it otherwise. */
const MOST = 32_768

/** What is on a letter, or invisible: accents, points, joiners, soft hyphens. */
const MARKS = /[\p{Script=Inherited}\p{Cf}]/gu
/** A letter or digit with what belongs to it: the vowel signs of Indic scripts are marks, too. */
const WORD = /[\p{L}\p{N}\p{M}]+/gu

/**
 * The words of a text, or of several, as search compares them: each once, in the order of their first appearance. The
 * only place where a text is split and folded, so that every store finds the same rows.
 *
 * A word is a run of letters and digits, without case and accents: `Crème-Brûlée 2x` has `creme`, `brulee` and `2x`. Letters
 * that Unicode does not take apart (ø, ł) are letters of their own; ß is ss. Of a word the first 64 characters count, of
 * a field the first words that have 32,768 together. What is no text has no words.
 */
export function wordsOf(value: unknown): readonly string[] {
  const words = new Set<string>()
  let room = MOST
  for (const text of Array.isArray(value) ? value : [value]) {
    if (typeof text !== 'string') continue
    for (const word of wordsIn(text)) {
      if (words.has(word)) continue
      room -= word.length
      if (room < 0) return [...words]
      words.add(word)
    }
  }
  return [...words]
}

/** The words of one text as they come, as often as they come. */
export function* wordsIn(text: string): Generator<string> {
  for (const [run] of folded(text).matchAll(WORD))
    yield run.length > LONGEST ? [...run].slice(0, LONGEST).join('') : run
}

/** Down, up and down: upper case takes ß apart, which ẞ becomes first; small sigma depends on what follows it. */
function folded(text: string): string {
  const plain = text.normalize('NFKD').replace(MARKS, '')
  return plain.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ')
}
