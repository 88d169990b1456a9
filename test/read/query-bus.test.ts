import { answer, issueToken, ObverseError, query, type Step, unchecked, view } from 'obverse'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { createQueryBus, type QueryBusOptions } from '../../src/read/query-bus.ts'
import { createWaiter } from '../../src/read/wait.ts'
import { createWorld, things, thingsProjection } from './world.ts'

const GetThing = query('things.get', z.object({ id: z.string().trim().min(1) }), unchecked<unknown>())
const getThing = answer(GetThing, ({ id }, ctx) => ctx.view(things).get(id))

async function createBus(more: Partial<QueryBusOptions> = {}) {
  const world = await createWorld()
  const { checkpoints, log } = world.store
  const { generations, runtime } = world
  const steps: Step[] = []
  const bus = createQueryBus({
    handlers: [getThing],
    projections: [thingsProjection()],
    generations,
    waiter: createWaiter({ generations, checkpointsFor: () => checkpoints, log, runtime }),
    runtime,
    observer: (step) => steps.push(step),
    ...more,
  })
  const { table } = await generations.look(things)
  await table.save([{ id: 'a', key: 'a', mark: 3, data: { id: 'a', n: 1 } }])
  return { bus, steps, table }
}

test('checks the data, asks the handler, tells the observer', async () => {
  const { bus, steps } = await createBus()
  expect(await bus.ask(GetThing({ id: ' a ' }))).toEqual({ id: 'a', n: 1 })
  await expect(bus.ask(GetThing({ id: ' ' }))).rejects.toMatchObject({
    code: 'VALIDATION_FAILED',
    fields: { id: [expect.any(String)] },
  })
  expect(steps).toMatchObject([
    { step: 'asked', type: 'things.get', outcome: 'done' },
    { step: 'asked', type: 'things.get', outcome: 'failed' },
  ])
})

test('knows its handlers, one for each query', async () => {
  const { bus } = await createBus()
  const Other = query('other', unchecked<null>(), unchecked<null>())
  await expect(bus.ask(Other(null))).rejects.toMatchObject({
    code: 'HANDLER_MISSING',
    message: expect.stringContaining('"other"'),
  })
  await expect(createBus({ handlers: [getThing, getThing] })).rejects.toMatchObject({ code: 'HANDLER_DUPLICATE' })
})

test('a token is waited for by the first read, within one time for all reads', async () => {
  const { bus } = await createBus()
  const token = (seq: number) => issueToken([{ type: 'add', key: 'a', seq }])
  expect(await bus.ask(GetThing({ id: 'a' }), { after: token(3) })).toMatchObject({ n: 1 })
  await expect(bus.ask(GetThing({ id: 'a' }), { after: token(4), timeout: 20 })).rejects.toMatchObject({
    code: 'CONSISTENCY_TIMEOUT',
  })
  await expect(bus.ask(GetThing({ id: 'a' }), { after: 'not one' })).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
})

test('parts that stand for something else are resolved, once and when a view is read', async () => {
  let resolved = 0
  const { bus } = await createBus({
    async resolve(parts) {
      resolved += 1
      return parts.map((part) => (part.type === ':message' ? { type: 'add', key: 'a', seq: 3 } : part))
    },
  })
  const after = issueToken([{ type: ':message', key: 'some-id', seq: 1 }])
  expect(await bus.ask(GetThing({ id: 'a' }), { after })).toMatchObject({ n: 1 })
  expect(resolved).toBe(1)
})

test('an unexpected failure is wrapped, a typed one is not, and layers run around the handler', async () => {
  const Fails = query('fails', unchecked<{ typed: boolean }>(), unchecked<null>())
  const around: string[] = []
  const { bus } = await createBus({
    handlers: [
      answer(Fails, ({ typed }) => {
        throw typed ? new ObverseError('NOT_FOUND', 'no such thing') : new TypeError('oops')
      }),
    ],
    async around({ message, principal }, run) {
      around.push(`${message.type} by ${principal}`)
      return run()
    },
  })
  await expect(bus.ask(Fails({ typed: true }), { principal: 'me' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(bus.ask(Fails({ typed: false }))).rejects.toMatchObject({
    code: 'HANDLER_FAILED',
    cause: expect.any(TypeError),
  })
  expect(around).toEqual(['fails by me', 'fails by undefined'])
})

test('a view that nothing fills is not read', async () => {
  const empty = view('empty', { row: unchecked<{ id: string }>(), key: 'id' })
  const Read = query('read', unchecked<null>(), unchecked<unknown>())
  const { bus } = await createBus({ handlers: [answer(Read, (_, ctx) => ctx.view(empty).get('x'))] })
  await expect(bus.ask(Read(null))).rejects.toMatchObject({ code: 'VIEW_UNFILLED' })
})
