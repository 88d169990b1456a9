import { type HttpOptions, httpServer, routes } from 'obverse/fastify'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Buy, Change, Find, Look, shop } from './shop.ts'

// biome-ignore lint/suspicious/noExplicitAny: a JSON document is looked into by path
type Document = any

const paths = routes(shop({}).app)
  .post('/things', Buy, { status: 201, answer: z.object({ id: z.string() }), summary: 'Buy' })
  .patch('/things/:id', Change)
  .get('/things', Find)
  .get('/things/:id', Look, { missing: 'No such thing.' })

async function documentOf(options: HttpOptions = {}): Promise<Document> {
  return (await httpServer(paths, options).inject('/openapi.json')).json()
}

describe('the OpenAPI document', () => {
  it('has every route, and names its parameters, body and answers', async () => {
    const document = await documentOf({ title: 'Shop', version: '2.0.0' })
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Shop', version: '2.0.0' } })
    expect(Object.entries(document.paths).map(([path, methods]) => [path, Object.keys(methods as object)])).toEqual([
      ['/things', ['post', 'get']],
      ['/things/{id}', ['patch', 'get']],
      ['/health', ['get']],
    ])
    expect(document.paths['/things'].post).toMatchObject({ operationId: 'shop.buy', summary: 'Buy' })
    expect(Object.keys(document.paths['/things/{id}'].get.responses)).toEqual(['200', '400', '404', '500', '503'])
  })

  it('says what is required', async () => {
    const document = await documentOf()
    expect(document.components.schemas['shop.buy']).toEqual({
      type: 'object',
      properties: { sku: { type: 'string' }, pieces: expect.objectContaining({ type: 'integer', minimum: 1 }) },
      required: ['sku', 'pieces'],
      additionalProperties: false,
    })
    const named = (operation: Document) => operation.parameters.filter((each: Document) => each.name)
    expect(named(document.paths['/things'].get)).toMatchObject([
      { name: 'limit', in: 'query', required: false, schema: { type: 'integer', maximum: 10, default: 5 } },
      { name: 'sold', in: 'query', required: false, schema: { type: 'boolean' } },
      { name: 'sku', in: 'query', required: false, schema: { type: 'string' } },
    ])
  })

  it('takes from the body what the path gives', async () => {
    const document = await documentOf()
    expect(document.paths['/things/{id}'].patch.parameters[0]).toMatchObject({ name: 'id', in: 'path', required: true })
    expect(document.components.schemas['shop.change']).toMatchObject({ required: ['pieces'] })
    expect(document.components.schemas['shop.change'].properties).not.toHaveProperty('id')
  })

  it('has the headers that writes and reads share', async () => {
    const document = await documentOf()
    const refs = (operation: Document) => operation.parameters.map((each: Document) => each.$ref).filter(Boolean)
    expect(refs(document.paths['/things'].post)).toEqual(['#/components/parameters/IdempotencyKey'])
    expect(refs(document.paths['/things'].get)).toEqual(['#/components/parameters/ConsistencyToken'])
    expect(document.paths['/things'].post.responses[201].headers).toHaveProperty('Consistency-Token')
  })

  it('refers to nothing that is not in it', async () => {
    const document = await documentOf()
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1] as string)
    expect(refs.length).toBeGreaterThan(10)
    for (const ref of refs) {
      expect(
        ref.split('/').reduce((at: Document, step) => at?.[step], document),
        ref,
      ).toBeDefined()
    }
  })

  it('asks an injected converter first, and stays silent where nobody can say', async () => {
    const document = await documentOf({ toJsonSchema: (_, side) => ({ type: 'object', title: side }) })
    expect(document.components.schemas['shop.buy'].title).toBe('input')
    expect(document.components.schemas['shop.find.answer'].title).toBe('output')
  })
})

describe('the documentation page', () => {
  it('loads nothing from elsewhere', async () => {
    const page = await httpServer(paths, { title: 'Shop <1>' }).inject('/docs')
    expect(page.headers['content-type']).toContain('text/html')
    expect(page.headers['content-security-policy']).toContain("default-src 'none'")
    expect(page.body).not.toMatch(/https?:\/\/|src=|href=|@import/)
    expect(page.body).toContain('<h1>Shop &#60;1&#62;</h1>')
  })

  it('can be left out, like the others', async () => {
    const server = httpServer(paths, { paths: { docs: false, health: false, openapi: '/api.json' } })
    expect((await server.inject('/docs')).statusCode).toBe(404)
    expect((await server.inject('/health')).statusCode).toBe(404)
    expect((await server.inject('/api.json')).statusCode).toBe(200)
  })
})
