import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { killAll, runToEnd, start, temporaryFolder, until } from '../../../test/processes.ts'
import { SAMPLE } from './installation.ts'
import { onEveryStack } from './stacks.ts'

const folders: ReturnType<typeof temporaryFolder>[] = []
function folder(): string {
  const made = temporaryFolder()
  folders.push(made)
  return made.path
}
afterEach(killAll)
afterAll(() => {
  for (const each of folders) each.remove()
})

for (const orders of await onEveryStack()) {
  describe.skipIf(orders.missing)(`npm start, ${orders.stack}`, () => {
    afterAll(() => orders.end())

    it('runs everything in one process, and prints what to try', async () => {
      const process = await orders.start('all')
      expect(process.stdout).toContain('CQRS Event-Driven Order API')
      expect(process.stdout).toMatch(/curl -i http:\S+\/orders -H 'content-type: application\/json' -d '\{/)
      const example = /-d '(\{.+\})'/.exec(process.stdout)?.[1] as string
      const answer = await orders.post(example)
      expect(answer.status).toBe(201)
      expect((await orders.readAfter(answer.json.data.id, answer)).status).toBe('pending')
    })

    it('on a port that is taken says so, before anything is consumed', async () => {
      const api = await orders.start('api')
      await orders.create()
      const waiting = await orders.waiting()
      const { port } = new URL(orders.url)
      const second = orders.process('all', ['--port', port])
      expect(await second.ended()).toEqual({ code: 1, signal: null })
      expect(second.stderr).toContain('Cannot start: ')
      expect(second.stderr).toContain(port)
      expect(second.stderr).toContain('--port')
      expect(await orders.waiting()).toBe(waiting)
      expect((await orders.get('/')).status).toBe(200)
      expect(api.exit).toBeUndefined()
    })

    it.each(['all', 'api', 'relay', 'consumer'] as const)(
      'of %s stops by SIGTERM: it drains and ends with 0',
      async (role) => {
        const process = await orders.start(role)
        expect(await process.stop()).toEqual({ code: 0, signal: null })
      },
    )

    it('stops when the request that is under way is finished', async () => {
      const process = await orders.start('api')
      const body = JSON.stringify(SAMPLE)
      const { port } = new URL(orders.url)
      const socket = connect(Number(port), 'localhost')
      let answer = ''
      socket.on('data', (bytes) => {
        answer += bytes
      })
      socket.write(
        `POST /orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n` +
          `expect: 100-continue\r\n\r\n`,
      )
      await until('the request is under way', () => answer.includes('100 Continue'))
      process.signal('SIGTERM')
      await process.printed(/^SIGTERM/m)
      socket.write(body)
      await until('its answer', () => /201 Created[\s\S]+Order created successfully/.test(answer))
      expect(await process.ended()).toEqual({ code: 0, signal: null })
    })

    it('ends at once on a second signal', async () => {
      const process = await orders.start('api')
      const socket = connect(Number(new URL(orders.url).port), 'localhost')
      socket.on('error', () => {})
      socket.write('POST /orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{')
      await new Promise((resolve) => socket.once('connect', resolve))
      // a full exchange on another connection: the first has certainly been read by then
      await orders.get('/')
      process.signal('SIGTERM')
      await process.printed(/^SIGTERM/m)
      process.signal('SIGTERM')
      expect(await process.ended(3_000)).toEqual({ code: 143, signal: null })
      socket.destroy()
    })
  })
}

const run = (...args: string[]) => runToEnd('apps/start.ts', ['orders', ...args])

describe('npm start', () => {
  it('takes port and folder from the environment, and flags win', async () => {
    const [one, other] = [folder(), folder()]
    const env = { PORT: '1', DATA_DIR: one }
    const process = start('apps/start.ts', ['--port', '0', '--data', other], { env })
    await process.printed(/^Ready\./m)
    expect(process.stdout).toContain(other)
    expect(readFileSync(join(other, 'orders.db')).length).toBeGreaterThan(0)
  })

  it('explains itself', async () => {
    const { code, stdout } = await run('--help')
    expect(code).toBe(0)
    for (const word of ['--port', '--data', '--role', 'all', 'api', 'relay', 'consumer']) expect(stdout).toContain(word)
  })

  it.each([
    [['--port', 'x'], '"x"'],
    [['--port', '70000'], '70000'],
    [['--role', 'boss'], 'boss'],
    [['bank'], 'orders bank'],
    [['--nope'], '--nope'],
  ])('refuses %o', async (args, told) => {
    const { code, stderr, stdout } = await runToEnd('apps/start.ts', args[0] === 'bank' ? ['orders', 'bank'] : args)
    expect([code, stdout]).toEqual([2, ''])
    if (args[0] !== 'bank') expect(stderr).toContain(told)
    expect(stderr).not.toContain('    at ')
  })
})

describe('a start that cannot be', () => {
  const refusal = async (...args: string[]) => {
    const { code, stderr, stdout } = await run(...args)
    expect(code, stderr).toBe(1)
    expect(stderr).toContain('Cannot start: ')
    expect(stderr).not.toContain('    at ')
    expect(stdout).not.toContain('Ready')
    return stderr
  }

  it('on a port that something else has says so', async () => {
    const server = await listening()
    const { port } = server.address() as { port: number }
    expect(await refusal('--port', String(port), '--data', folder())).toContain(String(port))
    server.close()
  })

  it('on a file that is no database names it', async () => {
    const data = folder()
    writeFileSync(join(data, 'orders.db'), 'this is not a database, whatever its name says. '.repeat(200))
    expect(await refusal('--port', '0', '--data', data)).toContain('orders.db')
    expect(readFileSync(join(data, 'orders.db'), 'utf8')).toMatch(/^this is not a database/)
  })

  it('in a folder that is a file names it', async () => {
    const data = join(folder(), 'file')
    writeFileSync(data, '')
    expect(await refusal('--port', '0', '--data', data)).toContain(data)
  })

  it('in a folder that nobody can make names it', async (context) => {
    context.skip(process.platform !== 'linux', 'needs /dev/full')
    expect(await refusal('--port', '0', '--data', '/dev/full/orders')).toContain('/dev/full')
  })

  it('in a folder that cannot be written names it', async (context) => {
    const data = join(folder(), 'locked')
    mkdirSync(data)
    chmodSync(data, 0o555)
    // root may write anywhere
    context.skip(process.getuid?.() === 0, 'runs as root')
    expect(await refusal('--port', '0', '--data', data)).toContain(data)
  })
})

function listening(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, 'localhost', () => resolve(server))
  })
}
