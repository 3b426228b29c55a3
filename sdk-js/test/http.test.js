/** What goes over HTTP, against a server of the test's own that keeps what it was asked. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { EddylineHttp, InvalidArgument, ModuleMissing, NotAllowed, NotFound, Refused, Unavailable } from '../src/http/index.js'
import { EventReader } from '../src/http/events.js'
import { eventually } from './support/server.js'

const GOLDEN = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../crates/wire/fixtures/alert.json'), 'utf8'))

/** @typedef {[status: number, json: any, headers?: object]} Answer */

/**
 * @param {import('node:test').TestContext} test
 * @param {(
 *   asked: { method: string, url: URL, headers: any, body: string }, at: number, response: import('node:http').ServerResponse
 * ) => Answer | undefined} answer
 */
async function gateway(test, answer) {
  /** @type {{ method: string, url: URL, headers: any, body: string }[]} */
  const asked = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request) {
      body += piece
    }
    const one = { method: request.method ?? '', url: new URL(request.url ?? '', 'http://x'), headers: request.headers, body }
    asked.push(one)
    const answered = answer(one, asked.length - 1, response)
    if (answered !== undefined) {
      const [status, json, headers = {}] = answered
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(json))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  test.after(() => (server.closeAllConnections(), server.close()))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { asked, url: `http://127.0.0.1:${port}`, server }
}

describe('writing', () => {
  it('observations go as lines of JSON under a key that makes them count once', async (test) => {
    const { asked, url } = await gateway(test, () => [202, { accepted: 2 }])
    const eddyline = new EddylineHttp(`${url}/`, { key: 'edk_secret' })
    const outcome = await eddyline.observeMany('a b/ü', [{ a: 1, b: null, c: true }, { a: 'x', d: 7n }])
    assert.deepEqual(outcome, { accepted: 2, rejected: 0, errors: [] })
    const [{ method, url: to, headers, body }] = /** @type {any} */ (asked)
    assert.deepEqual([method, to.pathname, to.searchParams.get('monitor')], ['POST', '/v1/events', 'a b/ü'])
    assert.deepEqual([headers.authorization, headers['content-type']], ['Bearer edk_secret', 'application/x-ndjson'])
    assert.match(headers['idempotency-key'], /^[0-9a-f]{32}$/)
    assert.deepEqual(body.split('\n').map((line) => JSON.parse(line)), [{ a: 1, c: true }, { a: 'x', d: '7' }])
  })

  it('what nobody answered is tried again under the same key, and given up in time', async (test) => {
    const { asked, url } = await gateway(test, (_, at, response) =>
      at === 0 ? void response.destroy() : at === 1 ? [503, { code: 'redis_unavailable', message: 'gone' }] : [202, { accepted: 1 }]
    )
    await new EddylineHttp(url).observe('m', { a: 1 })
    assert.equal(asked.length, 3)
    assert.equal(new Set(asked.map(({ headers }) => headers['idempotency-key'])).size, 1)
    const gone = await gateway(test, () => [503, { code: 'redis_unavailable', message: 'gone' }])
    await assert.rejects(new EddylineHttp(gone.url).observe('m', { a: 1 }), { name: 'Unavailable', code: 'redis_unavailable' })
    assert.equal(gone.asked.length, 3)
  })

  it('an answer that does not come is unavailable', async (test) => {
    const { url } = await gateway(test, () => undefined)
    const eddyline = new EddylineHttp(url, { timeoutMs: 30 })
    await assert.rejects(eddyline.observe('m', { a: 1 }), Unavailable)
    await assert.rejects(new EddylineHttp('http://127.0.0.1:1').list(), Unavailable)
  })

  it('a batch is a request, a rejected one is counted, and a gateway that asks to wait is left alone', async (test) => {
    /** @type {Answer[]} */
    const answers = [
      [202, { accepted: 2 }],
      [207, { accepted: 1, rejected: 1, errors: [{ index: 0, code: 'invalid_item', message: 'no object' }] }],
      [429, { code: 'rate_limited', message: 'too many' }, { 'retry-after': '60' }]
    ]
    const { asked, url } = await gateway(test, (_, at) => answers[at])
    const batcher = new EddylineHttp(url).batcher({ maxAgeMs: 200, flushMs: 10 })
    test.after(() => batcher.close(0))
    batcher.observe('m', { a: 1 })
    batcher.observe('m', { a: 2 })
    assert.ok(await batcher.flush())
    batcher.observe('m', { a: 3 })
    assert.ok(await batcher.flush())
    assert.deepEqual([batcher.stats().sent, batcher.stats().dropped.refused], [2, 1])
    assert.ok(batcher.stats().lastError instanceof Refused)
    batcher.observe('m', { a: 4 })
    assert.ok(await batcher.flush())
    batcher.observe('m', { a: 5 })
    assert.ok(await batcher.flush())
    const { lost, stale } = batcher.stats().dropped
    assert.deepEqual([lost, stale, asked.length], [1, 1, 3])
    assert.deepEqual(asked[0]?.body.split('\n').map((line) => JSON.parse(line)), [{ a: 1 }, { a: 2 }])
  })

  it('a monitor is made as it is asked for', async (test) => {
    const { asked, url } = await gateway(test, (_, at) => (at < 2 ? [201 - at, {}] : [409, { code: 'conflict', message: 'other' }]))
    const eddyline = new EddylineHttp(url)
    const definition = { dimensions: ['a'], windowMs: 1000 }
    assert.deepEqual([await eddyline.create('m', definition), await eddyline.create('m', definition)], [true, false])
    assert.equal(await eddyline.create('m', { ...definition, ifMissing: true }), false)
    await assert.rejects(eddyline.create('m', definition), { code: 'conflict' })
    await assert.rejects(eddyline.create('m', /** @type {any} */ ({ windows: 5 })), InvalidArgument)
    assert.deepEqual([asked[0]?.method, asked[0]?.url.pathname, asked[0]?.body], ['PUT', '/v1/monitors/m', '{"dimensions":["a"],"window_ms":1000}'])
    assert.equal(asked[2]?.body, asked[0]?.body)
  })

  it('a business metric is a vector, sent again under its key', async (test) => {
    const { asked, url } = await gateway(test, (_, at) =>
      at === 0 ? [503, { code: 'unknown_outcome', message: 'lost' }] : at < 3 ? [202, { id: '5-0' }] : [409, { code: 'conflict', message: 'counted' }]
    )
    const eddyline = new EddylineHttp(url)
    assert.equal(await eddyline.businessMetric('a b/ü', 41.5, { expectedRange: [10, null], periodMs: 1000 }), '5-0')
    assert.equal(await eddyline.businessMetric('a b/ü', 7), '5-0')
    const bodies = asked.map(({ body }) => JSON.parse(body))
    const first = { values: { value: 41.5 }, period_ms: 1000, expect: { value: '10..' } }
    assert.deepEqual(bodies, [first, first, { values: { value: 7 }, period_ms: 60_000 }])
    assert.deepEqual([asked[0]?.method, asked[0]?.url.pathname], ['POST', '/v1/monitors/a%20b%2F%C3%BC/vectors'])
    const keys = asked.map(({ headers }) => headers['idempotency-key'])
    assert.deepEqual([keys[0] === keys[1], new Set(keys).size], [true, 2])
    await assert.rejects(eddyline.businessMetric('m', 1), { name: 'Refused', code: 'conflict' })
    await assert.rejects(eddyline.businessMetric('m', NaN), InvalidArgument)
    await assert.rejects(eddyline.businessMetric('m', 1, { expectedRange: [5, 1] }), InvalidArgument)
    await assert.rejects(eddyline.businessMetric('m', 1, { periodMs: 5 }), InvalidArgument)
    await assert.rejects(eddyline.businessMetric('{m}', 1), InvalidArgument)
    assert.equal(asked.length, 4)
  })
})

describe('reading', () => {
  it('answers have the shapes that they have over Redis', async (test) => {
    /** @type {Record<string, any>} */
    const answers = {
      '/v1/monitors': { monitors: [{ name: 'a' }, { name: 'b' }] },
      '/v1/monitors/m%2Fx': { name: 'm/x', state: 'ready' },
      '/v1/monitors/m%2Fx/count': { dimension: 'd', items: [{ item: 'pay', open: 1, last: 2, usual: 2.5 }] },
      '/v1/monitors/m%2Fx/top': {
        dimension: 'd', items: [{ item: 'a', open: 0, last: 9, usual: 9 }, { item: 'b', open: 5, last: 1, usual: 0 }]
      },
      '/v1/monitors/m%2Fx/quantiles': { measure: 'l', quantiles: [{ q: 0.5, value: 7 }, { q: 0.9, value: null }] },
      '/v1/monitors/m%2Fx/fingerprints': { fingerprints: [{ id: '5000-0', end_ms: 5000, n: 3, schema: 'ab', gap_ms: 1, values: { count: 3 } }] }
    }
    const { asked, url } = await gateway(test, ({ url: to }) => [200, answers[to.pathname]])
    const eddyline = new EddylineHttp(url)
    assert.deepEqual(await eddyline.list(), ['a', 'b'])
    assert.equal((await eddyline.info('m/x')).state, 'ready')
    assert.deepEqual(await eddyline.count('m/x', 'd', 'pay', 'b&c'), [{ item: 'pay', open: 1, last: 2, usual: 2.5 }])
    assert.equal(asked.at(-1)?.url.search, '?dimension=d&item=pay&item=b%26c')
    assert.deepEqual(await eddyline.top('m/x', 'd', 2), {
      open: [{ item: 'b', count: 5 }], last: [{ item: 'a', count: 9 }, { item: 'b', count: 1 }]
    })
    assert.deepEqual(await eddyline.quantile('m/x', 'l', 0.5, 0.9), [7, null])
    assert.equal(asked.at(-1)?.url.search, '?measure=l&q=0.5%2C0.9')
    assert.deepEqual(await eddyline.fingerprint('m/x', '5000-0'), {
      id: '5000-0', n: 3, gapMs: 1, partial: false, top: {}, values: { count: 3 }
    })
    assert.equal(asked.at(-1)?.url.search, '?after=4999-0&before=5001-0&limit=1')
    await assert.rejects(eddyline.fingerprint('m/x', 'yesterday'), InvalidArgument)
  })

  it('refusals are typed by what they mean, with the words of the gateway', async (test) => {
    /** @type {[number, any, any][]} */
    const refusals = [
      [404, { code: 'unknown_monitor', message: 'there is no monitor m' }, NotFound],
      [401, { code: 'unauthorized', message: 'a key is needed' }, NotAllowed],
      [403, { code: 'forbidden', message: 'not this key' }, NotAllowed],
      [400, { code: 'invalid_parameter', message: 'k must be' }, Refused],
      [503, { code: 'no_module', message: 'load it' }, ModuleMissing],
      [502, 'a proxy', Unavailable]
    ]
    for (const [status, json, type] of refusals) {
      const { url } = await gateway(test, () => [status, json])
      await assert.rejects(new EddylineHttp(url).info('m'), (error) => {
        assert.ok(error instanceof type, `${status}: ${error}`)
        assert.ok(typeof json === 'string' || /** @type {Error} */ (error).message === json.message)
        return true
      })
    }
  })

  it('feedback is given in the units of the gateway', async (test) => {
    const { asked, url } = await gateway(test, () => [200, { incident: '9f', word: 'snooze', message: 'fine' }])
    await new EddylineHttp(url).feedback('9f', 'snooze', { forMs: 7_200_000, by: 'ann' })
    assert.deepEqual([asked[0]?.url.pathname, JSON.parse(asked[0]?.body ?? '')], [
      '/v1/incidents/9f/feedback', { word: 'snooze', for: '7200s', by: 'ann' }
    ])
  })

  it('addresses and keys that can not be one are refused', () => {
    for (const url of ['', 'localhost:8080', 'redis://127.0.0.1', 'http://ann:secret@host', 'http://host/?key=1']) {
      assert.throws(() => new EddylineHttp(url), InvalidArgument, url)
    }
    assert.throws(() => new EddylineHttp('http://host', { key: 'a\nb' }), InvalidArgument)
    assert.throws(() => new EddylineHttp('http://host', { timeoutMs: 0 }), InvalidArgument)
  })
})

describe('alerts over HTTP', () => {
  const event = (/** @type {string} */ monitor, /** @type {number} */ ms) => {
    const alert = { ...GOLDEN, monitor, entry: `${ms}-0`, window_end_ms: ms }
    return `id: ${ms}\nevent: alert\ndata: ${JSON.stringify(alert)}\n\n`
  }

  it('each is told once though connections break, and what is missed is asked for', async (test) => {
    const told = Array.from({ length: 40 }, (_, at) => ({ monitor: at % 3 ? 'a' : 'b', ms: 100_000 + at * 1000 }))
    const { asked, url } = await gateway(test, ({ url: to }, at, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(': hello\n\nid: 99999\nevent: score\ndata: {}\n\n')
      const after = Number(to.searchParams.get('after') ?? 0)
      // Four more each time, then it breaks in the middle of one.
      const news = told.filter(({ ms }) => ms >= after).filter(({ ms }) => ms < 100_000 + (at + 1) * 4000)
      response.write(news.map(({ monitor, ms }) => event(monitor, ms)).join(''))
      setTimeout(() => (response.write('id: 999\nevent: al'), response.destroy()), 5)
      return undefined
    })
    const all = []
    for await (const alert of new EddylineHttp(url, { key: 'edk_x' }).alerts({ sinceMs: 100_000 })) {
      all.push(alert)
      if (all.length === told.length) {
        break
      }
    }
    assert.deepEqual(all.map(({ monitor, entry }) => `${monitor} ${entry}`), told.map(({ monitor, ms }) => `${monitor} ${ms}-0`))
    assert.ok(asked.length >= 10)
    assert.deepEqual([asked[0]?.url.search, asked[0]?.headers.authorization], ['?after=100000', 'Bearer edk_x'])
  })

  it('an iteration that waits can be ended, and a refusal ends it', async (test) => {
    const { url, asked } = await gateway(test, (_, __, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n')
      return undefined
    })
    const alerts = new EddylineHttp(url).alerts()
    const next = alerts.next()
    await eventually(() => asked.length === 1, 'it listens')
    await alerts.return()
    assert.deepEqual(await next, { done: true, value: undefined })
    const refused = await gateway(test, () => [403, { code: 'forbidden', message: 'not this key' }])
    await assert.rejects(new EddylineHttp(refused.url).alerts().next(), NotAllowed)
  })
})

describe('server-sent events', () => {
  it('are read in pieces of any length', () => {
    const text = 'id: 1\r\nevent: alert\r\ndata: a\r\ndata: ü\r\n\r\n: comment\n\ndata:b\rid: 2\r\revent: x\n\n'
    const whole = [{ event: 'alert', data: 'a\nü', id: '1' }, { event: 'message', data: 'b', id: '2' }]
    for (let size = 1; size < text.length; size++) {
      const reader = new EventReader()
      const events = []
      for (let at = 0; at < text.length; at += size) {
        events.push(...reader.read(text.slice(at, at + size)))
      }
      assert.deepEqual(events, whole, `pieces of ${size}`)
    }
  })

  it('one without an end is refused', () => {
    const reader = new EventReader()
    assert.throws(() => reader.read(`data: ${'x'.repeat(2 ** 20 + 1)}`), RangeError)
  })
})
