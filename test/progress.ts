const LINE_EVERY = 3_000
const DRAW_EVERY = 200
const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** Says on standard error how far something long is: one line that moves on a terminal, one every few seconds elsewhere. */
export class Progress {
  readonly #what: string
  readonly #count: number
  readonly #began = performance.now()
  #next = 0

  constructor(what: string, count: number) {
    this.#what = what
    this.#count = count
    this.#next = performance.now() + LINE_EVERY
  }

  /** `more`: what else there is to say by now. */
  update(done: number, more = ''): void {
    const now = performance.now()
    if (now < this.#next) return
    this.#next = now + (process.stderr.isTTY ? DRAW_EVERY : LINE_EVERY)
    const rate = (done * 1_000) / (now - this.#began)
    const left = rate > 0 ? `  ${number.format((this.#count - done) / rate)} s left` : ''
    const line = `${this.#what}  ${number.format(done)} of ${number.format(this.#count)}  ${number.format(rate)}/s${left}${more && `, ${more}`}`
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`)
  }

  /** Takes the line away; gives how many there were in a second. */
  end(): number {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
    return Math.round((this.#count * 1_000) / (performance.now() - this.#began))
  }
}
