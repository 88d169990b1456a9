import { randomUUIDv7 } from 'node:crypto'
import { peer } from '../peers.ts'
import { oneByOne } from './append-postgres.ts'
import { placedBy } from './order-placed.ts'
import { makeTables } from './tables.ts'

// The same request with NestJS, its Fastify adapter and its command bus; checks and statement are those of the twin by hand.

const [port, database] = process.argv.slice(2) as [string, string]
await makeTables(database)

const PACKAGES = [
  '@nestjs/core',
  '@nestjs/common',
  '@nestjs/cqrs',
  '@nestjs/platform-fastify',
  'reflect-metadata',
  'rxjs',
]
interface CommandBus {
  execute(command: object): Promise<unknown>
}
type Decorator = (target: object, name?: string | symbol, place?: number | PropertyDescriptor) => void
interface Application {
  listen(port: number, host: string): Promise<unknown>
  close(): Promise<void>
}
await peer('reflect-metadata', PACKAGES)
const { Body, Controller, Inject, Module, Post } = await peer<{
  Body(): Decorator
  Controller(): Decorator
  Inject(token: unknown): Decorator
  Module(of: object): Decorator
  Post(path: string): Decorator
}>('@nestjs/common', PACKAGES)
const { NestFactory } = await peer<{
  NestFactory: { create(module: unknown, adapter: unknown, options: object): Promise<Application> }
}>('@nestjs/core', PACKAGES)
const { CommandBus, CommandHandler, CqrsModule } = await peer<{
  CommandBus: unknown
  CommandHandler(command: unknown): Decorator
  CqrsModule: unknown
}>('@nestjs/cqrs', PACKAGES)
const { FastifyAdapter } = await peer<{ FastifyAdapter: new () => unknown }>('@nestjs/platform-fastify', PACKAGES)

const twin = oneByOne(database, 10)

class PlaceOrderCommand {
  readonly input: { readonly orderId: string }
  constructor(input: { readonly orderId: string }) {
    this.input = input
  }
}

class PlaceOrderHandler {
  async execute({ input }: PlaceOrderCommand): Promise<void> {
    const placed = placedBy(input)
    if (!placed) throw new Error('invalid')
    await twin.append(placed, 0)
  }
}
CommandHandler(PlaceOrderCommand)(PlaceOrderHandler)

class OrdersController {
  readonly bus: CommandBus
  constructor(bus: CommandBus) {
    this.bus = bus
  }
  async place(body: object): Promise<void> {
    const orderId = randomUUIDv7()
    await this.bus.execute(new PlaceOrderCommand({ ...body, orderId }))
  }
}
// decorators as functions, which is what a compiler makes of them
Body()(OrdersController.prototype, 'place', 0)
const place = Object.getOwnPropertyDescriptor(OrdersController.prototype, 'place') as PropertyDescriptor
Post('orders')(OrdersController.prototype, 'place', place)
Inject(CommandBus)(OrdersController, undefined, 0)
Controller()(OrdersController)

class OrdersModule {}
Module({ imports: [CqrsModule], controllers: [OrdersController], providers: [PlaceOrderHandler] })(OrdersModule)

const application = await NestFactory.create(OrdersModule, new FastifyAdapter(), { logger: ['error'] })
await application.listen(Number(port), '127.0.0.1')
console.log('ready')
process.once('SIGTERM', async () => {
  await application.close()
  await twin.close()
})
