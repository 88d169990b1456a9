import type { Connection } from './connection.ts'
import { closed, storeError } from './errors.ts'
import type { Writer } from './writer.ts'

/**
 * Reads what is committed. A file has a connection for it, whose every statement sees the last commit. In memory
 * there is one connection, so a read waits until the open group has ended.
 */
export class Reader {
  readonly #connection: Connection
  readonly #writer: Writer
  readonly #alone: boolean

  constructor(connection: Connection, writer: Writer) {
    this.#connection = connection
    this.#writer = writer
    this.#alone = connection === writer.connection
  }

  async read<T>(run: (connection: Connection) => T): Promise<T> {
    if (this.#alone) {
      for (let open = this.#writer.ended(); open; open = this.#writer.ended()) await open
    }
    return this.now(run)
  }

  /** At once; in memory it may see what is not committed yet, so only for hints. */
  now<T>(run: (connection: Connection) => T): T {
    if (!this.#connection.db.isOpen) throw closed(this.#writer.file)
    try {
      return run(this.#connection)
    } catch (error) {
      throw storeError(error, this.#writer.file)
    }
  }

  close(): void {
    if (!this.#alone) this.#connection.close()
  }
}
