// The way to a server that is cut and silenced: what it lets pass, to the byte.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../processes.ts'
import { createLink } from './servers/link.ts'

/** Repeats what it hears, and knows it. */
async function echo() {
  const heard: string[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      heard.push(bytes.toString())
      socket.write(bytes)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const link = await createLink(`echo://name:word@127.0.0.1:${port}/place`)
  onTestFinished(async () => {
    await link.close()
    server.close()
  })
  return { link, heard: () => heard.join(''), url: new URL(link.url) }
}

async function client(
  url: URL,
): Promise<{ readonly socket: Socket; readonly got: () => string; readonly ended: () => boolean }> {
  const socket = connect(Number(url.port), url.hostname)
  let [text, over] = ['', false]
  socket.on('data', (bytes) => {
    text += bytes
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    over = true
  })
  await once(socket, 'connect')
  onTestFinished(() => void socket.destroy())
  return { socket, got: () => text, ended: () => over }
}

test('lets everything pass, and keeps all of the address but host and port', async () => {
  const { url, heard } = await echo()
  expect([url.protocol, url.username, url.password, url.pathname]).toEqual(['echo:', 'name', 'word', '/place'])
  const one = await client(url)
  one.socket.write('hello')
  await until('the echo', () => one.got() === 'hello')
  expect(heard()).toBe('hello')
})

test('cuts after exactly so many bytes on the way to the server, once', async () => {
  const { url, link, heard } = await echo()
  const one = await client(url)
  link.cutAfter(3, 'to server')
  one.socket.write('abcdef')
  await until('the end', one.ended)
  await until('what passed', () => heard() === 'abc')
  expect(link.cuts).toBe(1)
  const two = await client(url)
  two.socket.write('gh')
  await until('the echo', () => two.got() === 'gh')
})

test('cuts after exactly so many bytes on the way back', async () => {
  const { url, link, heard } = await echo()
  const one = await client(url)
  link.cutAfter(4, 'to client')
  one.socket.write('abcdef')
  await until('the end', one.ended)
  expect([one.got().length <= 4, heard()]).toEqual([true, 'abcdef'])
  expect('abcd'.startsWith(one.got())).toBe(true)
})

test('holds one direction back, then gives what was held', async () => {
  const { url, link, heard } = await echo()
  const one = await client(url)
  link.silence('to client')
  one.socket.write('a')
  await until('the server to hear', () => heard() === 'a')
  const meanwhile = await client(url)
  meanwhile.socket.write('b')
  await until('the server to hear', () => heard() === 'ab')
  expect([one.got(), meanwhile.got()]).toEqual(['', ''])
  link.restore()
  await until('both answers', () => one.got() === 'a' && meanwhile.got() === 'b')
})

test('loses what was held of a connection that was given up', async () => {
  const { url, link, heard } = await echo()
  const one = await client(url)
  link.silence('to server')
  one.socket.write('lost')
  // as long as it takes to reach the link
  const two = await client(url)
  two.socket.write('kept')
  await new Promise((resolve) => setTimeout(resolve, 50))
  one.socket.destroy()
  await new Promise((resolve) => setTimeout(resolve, 50))
  link.restore()
  await until('the other', () => two.got() === 'kept')
  expect(heard()).toBe('kept')
})
