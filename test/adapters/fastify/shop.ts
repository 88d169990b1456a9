// A small application whose answers a test dictates, so that every error and every shape can be sent through HTTP.
import { type AnyHandler, type App, answer, command, handle, query } from 'obverse'
import { z } from 'zod'

export const Buy: ReturnType<typeof makeBuy> = makeBuy()
export const Change: ReturnType<typeof makeChange> = makeChange()
export const Find: ReturnType<typeof makeFind> = makeFind()
export const Look: ReturnType<typeof makeLook> = makeLook()

function makeBuy() {
  return command('shop.buy', z.strictObject({ sku: z.string(), pieces: z.int().min(1) }))
}
function makeChange() {
  return command('shop.change', z.strictObject({ id: z.uuid(), pieces: z.int() }))
}
function makeFind() {
  return query(
    'shop.find',
    z.strictObject({ limit: z.int().max(10).default(5), sold: z.boolean().optional(), sku: z.string().optional() }),
    z.array(z.string()),
  )
}
function makeLook() {
  return query('shop.look', z.strictObject({ id: z.string() }), z.object({ id: z.string() }).optional())
}

export const buy = handle(Buy, () => ({ id: 'b1' }))
export const change = handle(Change, { channel: 'slow' }, () => 'changed' as const)
export const find = answer(Find, () => [])
export const look = answer(Look, () => undefined)

export type ShopApp = App<typeof buy | typeof change | typeof find | typeof look>

export interface Asked {
  readonly type: string
  readonly data: unknown
  readonly options: Readonly<Record<string, unknown>>
}

/** What `send` and `ask` do is in `script`; what they were given is in `asked`. */
export function shop(script: {
  send?: (data: unknown) => unknown
  ask?: (data: unknown) => unknown
  health?: () => { name: string; ok: boolean; detail: string }[]
}): { readonly app: ShopApp; readonly asked: Asked[] } {
  const asked: Asked[] = []
  const definitions = new Map([Buy, Change, Find, Look].map((definition) => [definition.type as string, definition]))
  const app = {
    name: 'shop',
    definition: (type: string) => definitions.get(type),
    operate: { health: async () => script.health?.() ?? [] },
    async send(message: { type: string; data: unknown }, options: Asked['options']) {
      asked.push({ type: message.type, data: message.data, options })
      return script.send?.(message.data) ?? { messageId: 'm1', result: { id: 'b1' }, token: 'tok', replayed: false }
    },
    async ask(message: { type: string; data: unknown }, options: Asked['options']) {
      asked.push({ type: message.type, data: message.data, options })
      return script.ask?.(message.data)
    },
  }
  return { app: app as unknown as ShopApp & App<AnyHandler>, asked }
}
