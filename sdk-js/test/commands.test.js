/** What the commands say and how replies are read, with every client and protocol against a real server. */
import assert from 'node:assert/strict'
import { before, describe, it, after } from 'node:test'
import { Eddyline, InvalidArgument, ModuleMissing, NotAllowed, NotFound, Refused } from '../src/index.js'
import { kits, newest } from './support/clients.js'
import { Server, suiteScope } from './support/server.js'

const DEFINITION = {
  clock: /** @type {const} */ ('stream'),
  windowMs: 1000,
  dimensions: ['service', 'status'],
  measures: ['latency_ms'],
  crosses: ['service*status'],
  uniques: ['user'],
  ifMissing: true
}

for (const kit of kits) {
  describe(kit.name, () => {
    const scope = suiteScope(after)
    /** @type {any} */
    let client
    /** @type {Eddyline} */
    let eddyline
    /** @type {Server} */
    let server
    const call = (/** @type {string[]} */ ...words) =>
      kit.isNodeRedis ? client.sendCommand(words) : client.call(...words)

    before(async () => {
      server = await Server.start(scope)
      client = await kit.open(server.port, scope)
      eddyline = new Eddyline(client)
      assert.equal(await eddyline.create('m', DEFINITION), true)
      assert.equal(await eddyline.create('m', DEFINITION), false)
      await call('EDDY.CLOSE', 'm', '5000')
      assert.equal(await eddyline.observe('m', { service: 'pay', status: 200, latency_ms: 200, user: 'ü', none: null }), 1)
      const rows = [
        { service: 'pay', status: 200, latency_ms: 200 },
        { status: 500, service: 'pay', latency_ms: 500 },
        { service: 'pay', status: true }
      ]
      assert.equal(await eddyline.observeMany('m', rows), 3)
      await call('EDDY.CLOSE', 'm', '6000')
      await eddyline.observe('m', { service: 'cart', status: 404n })
    })

    it('counts items in the open window, the last one and the long run', async () => {
      const counts = await eddyline.count('m', 'service', 'pay', 'cart')
      assert.deepEqual(counts, [
        { item: 'pay', open: 0, last: 4, usual: 4 },
        { item: 'cart', open: 1, last: 0, usual: 0 }
      ])
      const [both] = await eddyline.count('m', 'service*status', 'pay*200')
      assert.deepEqual(both, { item: 'pay*200', open: 0, last: 2, usual: 2 })
    })

    it('names the heaviest items, largest first', async () => {
      const { open, last } = await eddyline.top('m', 'status')
      assert.deepEqual(open, [{ item: '404', count: 1 }])
      assert.deepEqual(last[0], { item: '200', count: 2 })
      assert.deepEqual(last.map(({ item }) => item).sort(), ['200', '500', 'true'])
      assert.equal((await eddyline.top('m', 'status', 1)).last.length, 1)
    })

    it('tells quantiles in the unit of the measure', async () => {
      assert.deepEqual(await eddyline.quantile('m', 'latency_ms', 0, 1), [200, 500])
      await eddyline.create('empty', DEFINITION)
      assert.deepEqual(await eddyline.quantile('empty', 'latency_ms', 0.5), [null])
    })

    it('reads a fingerprint by name', async () => {
      const print = await eddyline.fingerprint('m')
      assert.equal(print?.id, '6000-0')
      assert.deepEqual([print?.n, print?.gapMs, print?.values.count], [4, 0, 4])
      assert.deepEqual(print?.top.service, [{ item: 'pay', count: 4 }])
      assert.equal(Math.round(print?.values['user:distinct'] ?? 0), 1)
      assert.deepEqual(await eddyline.fingerprint('m', '6000-0'), print)
      assert.equal(await eddyline.fingerprint('m', '7000-0'), null)
    })

    it('says how a monitor is', async () => {
      const info = await eddyline.info('m')
      assert.deepEqual([info.state, info.clock, info.window_ms, info.observations], ['counting', 'stream', 1000, 5])
      assert.deepEqual([info.sources, info.hashed, info.paused], [{}, [], 'no'])
      assert.equal(info.left_out['user:absent'], 4)
      assert.equal(typeof info.schema, 'string')
      assert.ok((await eddyline.list()).includes('m'))
    })

    it('a business metric becomes a vector monitor with its range', async () => {
      const id = await eddyline.businessMetric('orders', 41.5, { expectedRange: [10, null], periodMs: 1000 })
      assert.match(id, /^\d+-0$/)
      assert.equal(await call('HGET', '{orders}:settings', 'expect:value'), '10..')
      assert.equal(await call('HGET', '{orders}:settings', 'period_ms'), '1000')
      assert.deepEqual(await call('XRANGE', '{orders}:fingerprints', '-', '+'), [[id, ['value', '41.5']]])
    })

    it('errors are typed and say what to do', async () => {
      await assert.rejects(eddyline.observe('nobody', { a: 1 }), (error) => {
        assert.ok(error instanceof NotFound)
        assert.equal(error.code, 'unknown_monitor')
        assert.match(error.message, /no monitor 'nobody': create\(\) makes one/)
        return true
      })
      await call('SET', 'text', 'hello')
      await assert.rejects(eddyline.info('text'), { name: 'Refused', code: 'wrong_type' })
      await assert.rejects(eddyline.create('m'), { name: 'Refused', code: 'monitor_exists' })
      await assert.rejects(eddyline.create('n', { windowMs: 5 }), (error) => {
        assert.ok(error instanceof Refused)
        assert.match(error.message, /^WINDOW must be 100 to 86400000 ms, got '5'/)
        return true
      })
      await call('ACL', 'SETUSER', 'default', '-eddy.reset', '-eddy.info')
      await assert.rejects(eddyline.info('m'), NotAllowed)
      await call('ACL', 'SETUSER', 'default', '+@all')
    })
  })
}

describe('node-redis modules', () => {
  for (const kit of kits.filter(({ isNodeRedis }) => isNodeRedis)) {
    it(`the commands stand under client.eddy and in MULTI: ${kit.name}`, async (test) => {
      const server = await Server.start(test)
      const client = await kit.open(server.port, test)
      assert.equal(await client.eddy.create('m', { windowMs: 86_400_000, dimensions: ['service'] }), true)
      assert.equal(await client.eddy.observe('m', { service: 'pay' }), 1)
      assert.equal(await client.eddy.observeMany('m', [{ service: 'pay' }, { service: 'cart' }]), 3)
      const replies = await client.multi().eddy.count('m', 'service', 'pay').eddy.top('m', 'service', 1).exec()
      assert.deepEqual(replies[0], [{ item: 'pay', open: 2, last: 0, usual: 0 }])
      assert.deepEqual(replies[1].open, [{ item: 'pay', count: 2 }])
      assert.equal(await client.eddy.fingerprint('m'), null)
      await assert.rejects(client.eddy.quantile('m', 'x', 0.5), /^[a-z]*Error: ERR the monitor has no measure/i)
      assert.equal((await client.eddy.info('m')).observations, 3)
      assert.deepEqual(await client.eddy.list(), ['m'])
      await assert.rejects(client.eddy.observeMany('m', [{ a: 1 }, { b: 1 }]), /have the same fields/)
    })
  }
})

describe('what can be seen before it is sent', () => {
  for (const kit of newest) {
    it(`mistakes are refused by name and nothing is sent: ${kit.name}`, async (test) => {
      const server = await Server.start(test)
      const eddyline = new Eddyline(await kit.open(server.port, test))
      await eddyline.create('m', { windowMs: 86_400_000, dimensions: ['a'] })
      const mistakes = [
        () => eddyline.observe('m', /** @type {any} */ ({ a: {} })),
        () => eddyline.observe('m', {}),
        () => eddyline.observe('m', /** @type {any} */ ('a')),
        () => eddyline.observe('', { a: 1 }),
        () => eddyline.observe('{m}', { a: 1 }),
        () => eddyline.observeMany('m', [{ a: 1 }, /** @type {any} */ ({ a: [] })]),
        () => eddyline.create('n', /** @type {any} */ ({ windows: 5 })),
        () => eddyline.create('n', /** @type {any} */ ({ dimensions: 'a' })),
        () => eddyline.businessMetric('b', NaN),
        () => eddyline.businessMetric('b', 1, { expectedRange: [5, 1] }),
        () => eddyline.feedback('9f', /** @type {any} */ ('great')),
        () => eddyline.feedback('9f', 'snooze')
      ]
      for (const mistake of mistakes) {
        await assert.rejects(mistake, InvalidArgument, String(mistake))
      }
      assert.equal((await eddyline.info('m')).observations, 0)
    })

    it(`many observations are split into commands that the server takes: ${kit.name}`, async (test) => {
      const server = await Server.start(test)
      const eddyline = new Eddyline(await kit.open(server.port, test))
      await eddyline.create('m', { windowMs: 86_400_000, dimensions: ['a', 'b'] })
      const rows = Array.from({ length: 2501 }, (_, at) => (at % 2 ? { a: at % 7 } : { b: 'x', a: 1 }))
      assert.equal(await eddyline.observeMany('m', rows), 2501)
      assert.equal((await eddyline.info('m')).observations, 2501)
    })

    it(`a server without the module says how to get it: ${kit.name}`, async (test) => {
      const server = await Server.plain(test)
      const eddyline = new Eddyline(await kit.open(server.port, test))
      await assert.rejects(eddyline.observe('m', { a: 1 }), ModuleMissing)
    })
  }

  it('a client that is none, and one whose keys have another name, are refused', async (test) => {
    assert.throws(() => new Eddyline(/** @type {any} */ ({})), InvalidArgument)
    const { Redis } = await import('ioredis')
    const client = new Redis({ lazyConnect: true, keyPrefix: 'app:' })
    test.after(() => client.disconnect())
    assert.throws(() => new Eddyline(client), /keyPrefix 'app:'/)
  })
})
