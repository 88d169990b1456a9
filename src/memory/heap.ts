/**
 * Values by a number, the smallest first; O(log n) in and out. Nothing is removed from the middle: what has become
 * void stays until it comes to the top, where its reader throws it away.
 */
export class Heap<T> {
  readonly #keys: number[] = []
  readonly #values: T[] = []

  get size(): number {
    return this.#keys.length
  }

  peek(): T | undefined {
    return this.#values[0]
  }

  peekKey(): number | undefined {
    return this.#keys[0]
  }

  clear(): void {
    this.#keys.length = 0
    this.#values.length = 0
  }

  push(key: number, value: T): void {
    const keys = this.#keys
    const values = this.#values
    let at = keys.length
    keys.push(key)
    values.push(value)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((keys[parent] as number) <= key) break
      keys[at] = keys[parent] as number
      values[at] = values[parent] as T
      at = parent
    }
    keys[at] = key
    values[at] = value
  }

  pop(): T | undefined {
    const keys = this.#keys
    const values = this.#values
    const top = values[0]
    const key = keys.pop()
    const value = values.pop()
    if (key === undefined || keys.length === 0) return top
    const half = keys.length >> 1
    let at = 0
    while (at < half) {
      let child = 2 * at + 1
      if (child + 1 < keys.length && (keys[child + 1] as number) < (keys[child] as number)) child += 1
      if ((keys[child] as number) >= key) break
      keys[at] = keys[child] as number
      values[at] = values[child] as T
      at = child
    }
    keys[at] = key
    values[at] = value as T
    return top
  }
}
