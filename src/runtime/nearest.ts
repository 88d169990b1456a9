/** The word of `known` that was most likely meant, or `undefined` when none is close. Capitals do not count. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(word.length / 3))
  return known
    .map((candidate) => ({ candidate, far: farness(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ far }) => far <= most)
    .sort((a, b) => a.far - b.far)[0]?.candidate
}

function farness(word: string, candidate: string): number {
  return candidate.startsWith(word) ? 0 : distance(word, candidate)
}

/** Edits between two words; two letters that changed places count once. */
function distance(a: string, b: string): number {
  const width = b.length + 1
  const cells = new Array<number>((a.length + 1) * width).fill(0)
  const cell = (row: number, column: number) => cells[row * width + column] ?? 0
  for (let row = 0; row <= a.length; row += 1) {
    for (let column = 0; column <= b.length; column += 1) {
      let least =
        row === 0 || column === 0 ? row + column : cell(row - 1, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1)
      if (row > 0 && column > 0) least = Math.min(least, cell(row - 1, column) + 1, cell(row, column - 1) + 1)
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, cell(row - 2, column - 2) + 1)
      }
      cells[row * width + column] = least
    }
  }
  return cell(a.length, b.length)
}
