import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { sqlite } from 'obverse/sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { root, temporaryFolder } from '../../processes.ts'
import { fact, makeNotes, note, notes, openStore, unit } from './store.ts'

const folder = temporaryFolder('open')
afterAll(folder.remove)
const ENTRY = { name: 'test' }
const at = (name: string) => `${folder.path}/${name}`

describe('opening', () => {
  it('makes the folders of the file', async () => {
    const store = await openStore(at('new/deep/orders.db'))
    expect(existsSync(at('new/deep/orders.db'))).toBe(true)
    expect(await store.health()).toMatchObject({ ok: true, detail: expect.stringContaining('orders.db') })
    await store.close()
  })

  it.each([
    ['a folder in its place', at('folder.db')],
    ['a file where a folder must be', at('file/orders.db')],
    ['a folder that cannot be made', '/proc/obverse/orders.db'],
  ])('fails with STORE_UNREACHABLE for %s', async (_, file) => {
    mkdirSync(at('folder.db'), { recursive: true })
    writeFileSync(at('file'), '')
    await expect(openStore(file)).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining(file),
    })
  })

  it('fails with STORE_CORRUPT for a file that is no database, and leaves it as it is', async () => {
    const file = at('text.db')
    writeFileSync(file, 'this is a shopping list, not a database\n'.repeat(100))
    const size = statSync(file).size
    await expect(openStore(file)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(file),
    })
    expect(statSync(file).size).toBe(size)
  })

  it('fails with STORE_CORRUPT for a file that was cut off, at the latest when it is read', async () => {
    const file = at('cut.db')
    const store = await openStore(file)
    for (let n = 0; n < 50; n += 1) await store.transactions.commit(ENTRY, unit([fact(`k${n}`, n)]))
    await store.close()
    truncateSync(file, 8_192)
    const work = async () => {
      const cut = await openStore(file)
      try {
        await cut.log.after(0, 100)
        await cut.transactions.commit(ENTRY, unit([fact('k')]))
      } finally {
        await cut.close().catch(() => {})
      }
    }
    await expect(work()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })

  it('fails with SCHEMA_OUTDATED for a file of a newer version', async () => {
    const file = at('newer.db')
    await (await openStore(file)).close()
    const other = new DatabaseSync(file)
    other.exec("INSERT INTO obverse_migration (name, at) VALUES ('obverse/999', 'later')")
    other.close()
    await expect(openStore(file)).rejects.toMatchObject({
      code: 'SCHEMA_OUTDATED',
      message: expect.stringMatching(/newer\.db.*obverse\/999/),
    })
  })

  it('says SCHEMA_OUTDATED, not something of SQL, before the tables are made', async () => {
    const store = await openStore(at('empty.db'), { migrated: false })
    await expect(store.log.after(0, 1)).rejects.toMatchObject({ code: 'SCHEMA_OUTDATED' })
    await expect(store.transactions.commit(ENTRY, unit([fact('k')]))).rejects.toMatchObject({ code: 'SCHEMA_OUTDATED' })
    await store.close()
  })

  it('keeps FULL unless told otherwise, and refuses bad options', async () => {
    expect(() => sqlite('x.db', { synchronous: 'OFF' as 'FULL' })).toThrow(/synchronous/)
    expect(() => sqlite('x.db', { turnLimit: 0 })).toThrow(/turnLimit/)
    expect(existsSync('x.db')).toBe(false)
  })
})

describe('closing', () => {
  it('finishes what was asked for, folds the log into the file, and may be done twice', async () => {
    const file = at('closed.db')
    const store = await openStore(file)
    const asked = Promise.all([1, 2, 3].map((n) => store.transactions.commit(ENTRY, unit([fact(`k${n}`)]))))
    await Promise.all([store.close(), store.close()])
    expect(await asked).toHaveLength(3)
    expect(existsSync(`${file}-wal`)).toBe(false)
    await expect(store.transactions.commit(ENTRY, unit([fact('k')]))).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    await expect(store.log.head()).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    expect(await store.health()).toMatchObject({ ok: false })
    await store.close()
    const again = await openStore(file)
    expect(await again.log.head()).toBe(3)
    await again.close()
  })
})

describe(':memory:', () => {
  it('is a store like any other, whose reads wait for the open transaction', async () => {
    const store = await openStore(':memory:')
    await makeNotes(store)
    const { promise: written, resolve } = Promise.withResolvers<void>()
    const writing = store.transactions.transact(ENTRY, async (tx) => {
      await note(tx.connection(), 'a')
      resolve()
      await new Promise((later) => setTimeout(later, 20))
      return unit([fact('k')])
    })
    await written
    expect(await store.log.head()).toBe(1)
    await writing
    expect(await notes(store)).toEqual(['a'])
    await store.close()
  })

  it('succeeds when there is no room to tidy up, and loses nothing', async () => {
    const file = at('full.db')
    const store = await openStore(file)
    await makeNotes(store)
    await store.transactions.transact(ENTRY, async (tx) => {
      await note(tx.connection(), 'x'.repeat(2_000_000))
      return unit()
    })
    await store.close()
    // no file may grow beyond what the database has: the log of it has room, the database has none
    const limit = Math.ceil(statSync(file).size / 1024)
    const closing = `trap '' XFSZ; ulimit -f ${limit}; exec "$0" --conditions=source "$1" "$2"`
    const program = join(root, 'test/adapters/sqlite/closing-process.ts')
    const { stdout } = await promisify(execFile)('bash', ['-c', closing, process.execPath, program, file], {
      cwd: root,
    })
    expect(stdout).toBe('closed\n')
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(80_000)
    const again = await openStore(file)
    expect(await again.log.head()).toBe(20)
    await again.close()
  })
})
