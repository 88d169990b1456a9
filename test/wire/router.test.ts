import { describe, expect, it } from 'vitest'
import { createRouter } from '../../src/wire/router.ts'
import { Noted, Other, World } from './world.ts'

describe('router', () => {
  it('names each channel of a type once, and subscribers in the order of registration', async () => {
    const world = await World.open()
    const both = [Noted.type, Other.type]
    const first = world.handler('first', () => {}, { channel: 'a', types: both })
    const second = world.handler('second', () => {}, { channel: 'b' })
    const third = world.handler('third', () => {}, { channel: 'a' })
    const router = createRouter([first, second, third])
    expect(router.channels(Noted.type)).toEqual(['a', 'b'])
    expect(router.channels(Other.type)).toEqual(['a'])
    expect(router.channels('t.unheard')).toEqual([])
    expect(router.subscribers('a', Noted.type)).toEqual([first, third])
    expect(router.subscribers('a', Other.type)).toEqual([first])
    expect(router.subscribers('b', Other.type)).toEqual([])
    expect(router.on('a')).toEqual([first, third])
    await world.close()
  })
})
