/** One observation a request, whatever way its response ends, under the template of its route. */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { request } from 'node:http'
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import express from 'express'
import oldestExpress from 'express-oldest'
import { fastify } from 'fastify'
import oldestFastify from 'fastify-oldest'
import { Batcher, Eddyline } from '../src/index.js'
import { observeRequests } from '../src/middleware/express.js'
import { eddylineFastify } from '../src/middleware/fastify.js'
import { newest } from './support/clients.js'
import { Server, eventually } from './support/server.js'

const require = createRequire(import.meta.url)
const version = (/** @type {string} */ name) => require(`${name}/package.json`).version

/** A batcher whose observations can be looked at. */
function observations() {
  /** @type {Record<string, unknown>[]} */
  const all = []
  const transport = {
    isReady: () => true,
    create: () => Promise.resolve(),
    send: (/** @type {import('../src/batcher/queue.js').Batch} */ { columns, values, rows }) => {
      for (let row = 0; row < rows; row++) {
        all.push(Object.fromEntries(columns.map((column, at) => [column, values[row * columns.length + at]])))
      }
      return Promise.resolve()
    }
  }
  return { all, batcher: new Batcher({ transport }, { flushMs: 5 }) }
}

/** Says that the request for what is never answered has arrived. */
const arrivals = new EventEmitter()

/**
 * Asks, and goes away before the answer, within it, or not at all.
 * @param {number} port
 * @param {string} path
 * @param {{ method?: string, goes?: 'early' | 'within' }} [how]
 */
async function ask(port, path, { method = 'GET', goes } = {}) {
  const asked = request({ port, path, method, agent: false })
  asked.on('error', () => {})
  asked.end()
  if (goes === 'early') {
    await once(arrivals, 'slow')
    asked.destroy()
    return
  }
  const [response] = await once(asked, 'response')
  if (goes === 'within') {
    response.on('error', () => {})
    await once(response, 'data')
    response.destroy()
    return
  }
  response.resume()
  await once(response, 'close')
}


/** What is asked for, and what is to be observed of it. */
const CASES = [
  { path: '/json', route: '/json', status: 200 },
  { path: '/send', route: '/send', status: 200 },
  { path: '/end', route: '/end', status: 204 },
  { path: '/stream', route: '/stream', status: 200 },
  { path: '/items/42', route: '/items/:id', status: 200 },
  { path: '/items/a%20b', route: '/items/:id', status: 200 },
  { path: '/json', method: 'POST', route: '/json', status: 201 },
  { path: '/json', method: 'HEAD', route: '/json', status: 200 },
  { path: '/throws', route: '/throws', status: 500 },
  { path: '/rejects', route: '/rejects', status: 500 },
  { path: '/nowhere/17', route: 'unmatched', status: 404 },
  { path: '/slow', goes: /** @type {const} */ ('early'), route: '/slow', status: 499 },
  { path: '/endless', goes: /** @type {const} */ ('within'), route: '/endless', status: 200 },
  { path: '/shops/7/orders/9', route: '/shops/:shop/orders/:order', status: 200 },
  { path: '/shops/7', route: '/shops/:shop', status: 200 },
  { path: '/shops/orders/orders/9', route: '/shops/:shop/orders/:order', status: 200 },
  { path: '/shops/7/throws', route: '/shops/:shop/throws', status: 500 }
]

/**
 * @param {string} name
 * @param {(batcher: Batcher) => Promise<{ port: number, close: () => unknown }>} serve
 */
function endings(name, serve) {
  describe(name, () => {
    const { all, batcher } = observations()
    /** @type {{ port: number, close: () => unknown }} */
    let app
    before(async () => {
      app = await serve(batcher)
    })
    after(async () => {
      await app.close()
      await batcher.close()
    })
    for (const { path, method = 'GET', goes, route, status } of CASES) {
      it(`${method} ${path}${goes ? `, left ${goes}` : ''}: ${route} ${status}, once`, async () => {
        const count = all.length
        await ask(app.port, path, { method, goes })
        await eventually(() => all.length > count, 'it is observed')
        // What would be told twice is told by now: the next request's observation comes after it.
        await ask(app.port, '/json')
        await eventually(() => all.length > count + 1, 'the next is observed')
        assert.equal(all.length, count + 2)
        const { latency_ms, ...others } = /** @type {Record<string, unknown>} */ (all[count])
        assert.deepEqual(others, { method, route, status })
        assert.ok(typeof latency_ms === 'number' && latency_ms >= 0 && latency_ms < 30_000, String(latency_ms))
      })
    }

    it('many at once are as many observations', async () => {
      const count = all.length
      await Promise.all(Array.from({ length: 60 }, (_, at) => ask(app.port, at % 2 ? `/items/${at}` : '/stream')))
      await eventually(() => all.length >= count + 60, 'all are observed')
      assert.equal(all.slice(count).filter(({ route }) => route === '/items/:id').length, 30)
    })
  })
}

/** @param {(chunk: (text: string) => void) => void} write */
function pieces(write) {
  const stream = new Readable({ read() {} })
  write((text) => void stream.push(text))
  return stream
}

/**
 * @param {any} createApp
 * @param {boolean} rejects whether it handles promises that are rejected
 */
function expressApp(createApp, rejects) {
  return async (/** @type {Batcher} */ batcher) => {
    const app = createApp()
    app.use(observeRequests(batcher))
    app.get('/json', (_, response) => response.json({ fine: true }))
    app.post('/json', (_, response) => response.status(201).json({}))
    app.get('/send', (_, response) => response.send('text'))
    app.get('/end', (_, response) => response.status(204).end())
    app.get('/stream', (_, response) => Readable.from(['a', 'b', 'c']).pipe(response))
    app.get('/items/:id', (_, response) => response.json({}))
    app.get('/throws', () => {
      throw new Error('as it should')
    })
    app.get('/rejects', rejects ? () => Promise.reject(new Error('as it should')) : (_, __, next) => next(new Error('as it should')))
    app.get('/slow', () => void arrivals.emit('slow'))
    app.get('/endless', (_, response) => pieces((piece) => piece('a')).pipe(response))
    const shop = createApp.Router()
    const orders = createApp.Router()
    orders.get('/:order', (_, response) => response.json({}))
    shop.get('/', (_, response) => response.json({}))
    shop.get('/throws', () => {
      throw new Error('as it should')
    })
    shop.use('/orders', orders)
    app.use('/shops/:shop', shop)
    app.use((error, _, response, next) => (response.headersSent ? next(error) : response.status(500).end(error.message)))
    const server = app.listen(0)
    await once(server, 'listening')
    return { port: server.address().port, close: () => server.closeAllConnections() ?? server.close() }
  }
}

/** @param {any} createApp */
function fastifyApp(createApp) {
  return async (/** @type {Batcher} */ batcher) => {
    const app = createApp()
    await app.register(eddylineFastify, { client: batcher })
    app.get('/json', async () => ({ fine: true }))
    app.post('/json', async (_, reply) => reply.code(201).send({}))
    app.get('/send', (_, reply) => void reply.send('text'))
    app.get('/end', (_, reply) => void reply.code(204).send())
    app.get('/stream', (_, reply) => reply.send(Readable.from(['a', 'b', 'c'])))
    app.get('/items/:id', async () => ({}))
    app.get('/throws', () => {
      throw new Error('as it should')
    })
    app.get('/rejects', () => Promise.reject(new Error('as it should')))
    app.get('/slow', () => void arrivals.emit('slow'))
    app.get('/endless', (_, reply) => reply.send(pieces((piece) => piece('a'))))
    app.register(
      async (shop) => {
        shop.get('', async () => ({}))
        shop.get('/orders/:order', async () => ({}))
        shop.get('/throws', async () => {
          throw new Error('as it should')
        })
      },
      { prefix: '/shops/:shop' }
    )
    await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: app.server.address().port, close: () => app.server.closeAllConnections() ?? app.close() }
  }
}

endings(`Express ${version('express')}`, expressApp(express, true))
endings(`Express ${version('express-oldest')}`, expressApp(oldestExpress, false))
endings(`Fastify ${version('fastify')}`, fastifyApp(fastify))
endings(`Fastify ${version('fastify-oldest')}`, fastifyApp(oldestFastify))

describe('middlewares', () => {
  it('users leave the process as a keyed hash, the same for the same user', async (test) => {
    const { all, batcher } = observations()
    const app = express()
    const user = (/** @type {any} */ asked) => (asked.query.user === 'bad' ? JSON.parse('{') : asked.query.user)
    app.use(observeRequests(batcher, { user, userKey: 'secret', monitor: 'shop' }))
    app.get('/', (_, response) => void response.end())
    const server = app.listen(0)
    await once(server, 'listening')
    test.after(() => (server.closeAllConnections(), server.close(), batcher.close()))
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
    for (const asked of ['/?user=ann', '/?user=bob', '/?user=ann', '/', '/?user=bad']) {
      const count = all.length
      await ask(port, asked)
      await eventually(() => all.length > count, 'it is observed')
    }
    const users = all.map((observation) => observation.user)
    // HMAC-SHA-256, as the Python SDK has it
    assert.equal(users[0], 'aad4e6199b77de33')
    assert.deepEqual([users[2] === users[0], users[1] === users[0], users[3], users[4]], [true, false, undefined, undefined])
  })

  it('a user without a key is refused', (test) => {
    const { batcher } = observations()
    test.after(() => batcher.close())
    assert.throws(() => observeRequests(batcher, { user: () => 'ann' }), /user and userKey go together/)
    assert.throws(() => observeRequests(batcher, { userKey: 'secret' }), /go together/)
    assert.throws(() => observeRequests(batcher, { user: /** @type {any} */ ('ann'), userKey: 'secret' }), /user is a function/)
    assert.throws(() => observeRequests(batcher, { monitor: '{}' }), /braces/)
  })

  it('behind a router that is mounted elsewhere, a part that is not known is not told', async (test) => {
    const { all, batcher } = observations()
    const app = express()
    const inner = express.Router()
    inner.use(observeRequests(batcher))
    inner.get('/orders/:id', (_, response) => void response.end())
    app.use('/users/:name', inner)
    const server = app.listen(0)
    await once(server, 'listening')
    test.after(() => (server.closeAllConnections(), server.close(), batcher.close()))
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
    await ask(port, '/users/ann/orders/4')
    await eventually(() => all.length === 1, 'it is observed')
    assert.equal(all[0]?.route, '*/orders/:id')
  })

  for (const kit of newest) {
    it(`with a client alone the monitor is made and the first request is counted: ${kit.name}`, async (test) => {
      const server = await Server.start(test)
      const client = await kit.open(server.port, test)
      const app = express()
      app.use(observeRequests(client))
      app.get('/items/:id', (_, response) => void response.json({}))
      const http = app.listen(0)
      await once(http, 'listening')
      test.after(() => (http.closeAllConnections(), http.close()))
      await ask(/** @type {import('node:net').AddressInfo} */ (http.address()).port, '/items/1')
      const eddyline = new Eddyline(client)
      await eventually(() => eddyline.info('requests').then((info) => info.observations === 1, () => false), 'it is counted')
      assert.deepEqual((await eddyline.top('requests', 'route')).open.concat((await eddyline.top('requests', 'route')).last)[0], {
        item: '/items/:id', count: 1
      })
    })
  }
})
