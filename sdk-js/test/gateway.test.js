/** EddylineHttp against the gateway itself. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Eddyline, EddylineHttp, NotFound, Refused } from '../src/index.js'
import { newest } from './support/clients.js'
import { Server, eventually, freePort, program, suiteScope } from './support/server.js'
import { teller } from './support/teller.js'

/** @import { Alert } from '../src/index.js' */

const DAY = 86_400_000

/**
 * @param {{ after: (f: () => unknown) => void }} test
 * @param {Server} server
 * @param {number} [port]
 */
async function gateway(test, server, port) {
  const own = port ?? (await freePort())
  const args = ['serve', '--redis', server.url, '--http', `127.0.0.1:${own}`, '--listen', 'none', '--log', 'warn']
  const { told, exited, kill } = program(test, args)
  let isGone = false
  void exited.then(() => (isGone = true))
  const url = `http://127.0.0.1:${own}`
  const isReady = () => fetch(`${url}/readyz`).then(({ ok }) => ok, () => false)
  await eventually(async () => isGone || (await isReady()), 'the gateway is ready')
  assert.equal(isGone, false, told.text)
  return { url, port: own, kill }
}

describe('the gateway', () => {
  const scope = suiteScope(after)
  /** @type {Server} */
  let server
  /** @type {Awaited<ReturnType<typeof teller>>} */
  let redis
  /** @type {EddylineHttp} */
  let eddyline
  /** @type {Eddyline} */
  let direct
  /** @type {Awaited<ReturnType<typeof gateway>>} */
  let served
  before(async () => {
    server = await Server.start(scope)
    redis = await teller(server.port, scope)
    served = await gateway(scope, server)
    eddyline = new EddylineHttp(served.url)
    direct = new Eddyline(await /** @type {any} */ (newest[0]).open(server.port, scope))
  })

  it('makes a monitor once', async () => {
    const definition = { dimensions: ['service', 'status'], measures: ['latency_ms'], windowMs: 100 }
    assert.equal(await eddyline.create('made', definition), true)
    await eventually(async () => (await redis.client.xLen('{made}:fingerprints')) > 0, 'its schema is written')
    assert.equal(await eddyline.create('made', definition), false)
    await assert.rejects(eddyline.create('made', { ...definition, dimensions: ['other'] }), Refused)
    assert.equal(await eddyline.create('made', { ...definition, dimensions: ['other'], ifMissing: true }), false)
  })

  it('makes a monitor with all that Redis takes', async () => {
    for (const ms of [5000, 5500, 6000]) {
      await redis.client.sendCommand(['XADD', '{js}:metrics', `${ms}-0`, 'user', `user-${ms}`])
    }
    /** @type {import('../src/index.js').Definition} */
    const definition = {
      sources: ['{js}:metrics'], from: '5000-0', clock: 'stream', windowMs: 60_000, buckets: 64,
      dimensions: ['user'], hashed: ['user'], salt: '000102030405060708090a0b0c0d0e0f'
    }
    assert.equal(await eddyline.create('{js}:http', definition), true)
    assert.equal(await direct.create('{js}:redis', definition), true)
    // What the streams had before is read little by little.
    for (const name of ['{js}:http', '{js}:redis']) {
      await eventually(async () => (await direct.info(name)).observations === 2, 'what follows the id is counted')
    }
    const [over, other] = [await direct.info('{js}:http'), await direct.info('{js}:redis')]
    assert.deepEqual([over.clock, over.schema], ['stream', other.schema])
    // The same salt hashes alike.
    const items = async (/** @type {string} */ name) => (await direct.top(name, 'user')).open.map(({ item }) => item).sort()
    const hashes = await items('{js}:http')
    assert.deepEqual([hashes.length, hashes], [2, await items('{js}:redis')])
    await assert.rejects(eddyline.create('{js}:http', { clock: 'server', buckets: 8 }), { code: 'conflict', message: /other clock, buckets/ })
    await assert.rejects(eddyline.create('{js}:x', { dimensions: ['user'], hashed: ['user'], salt: '5ec7e7' }), (/** @type {Error} */ error) =>
      error.message.startsWith('SALT must be 32 hexadecimal digits') && !error.message.includes('5ec7e7')
    )
  })

  it('takes a business metric as Redis does', async () => {
    for (const [name, over] of /** @type {const} */ ([['http', eddyline], ['redis', direct]])) {
      const id = await over.businessMetric(name, 41.5, { expectedRange: [10, null], periodMs: 1000 })
      assert.match(id, /^\d+-0$/)
      assert.deepEqual(await redis.client.xRange(`{${name}}:fingerprints`, '-', '+'), [{ id, message: { value: '41.5' } }])
      assert.deepEqual({ ...(await redis.client.hGetAll(`{${name}}:settings`)) }, { period_ms: '1000', 'expect:value': '10..' })
    }
    await assert.rejects(eddyline.businessMetric('made', 1), { name: 'Refused', code: 'conflict', message: /takes no vectors/ })
  })

  it('takes feedback', async () => {
    await direct.create('told', { clock: 'stream', dimensions: ['a'] })
    const alert = await redis.tell('told', '1-0')
    const given = await eddyline.feedback(alert.incident, 'snooze', { forMs: 60_000, by: 'ann', monitor: 'told' })
    assert.deepEqual([given.incident, given.word], [alert.incident, 'snooze'])
    const record = JSON.parse((await redis.client.hGet('{told}:settings', 'feedback')) ?? '')
    assert.deepEqual([record.said[0].what, record.said[0].until_ms - record.said[0].at_ms, record.said[0].by], ['snooze', 60_000, 'ann'])
  })

  it('counts what it is told, and tells what was counted as Redis does', async () => {
    await direct.create('a b/ü', { clock: 'stream', windowMs: 1000, dimensions: ['service', 'status'], measures: ['latency_ms'] })
    await redis.client.sendCommand(['EDDY.CLOSE', 'a b/ü', '5000'])
    const rows = [
      { service: 'pay', status: 200, latency_ms: 200, none: null },
      { service: 'pay', status: 500, latency_ms: 500 },
      { service: 'ü', status: true }
    ]
    assert.deepEqual(await eddyline.observeMany('a b/ü', rows), { accepted: 3, rejected: 0, errors: [] })
    await redis.client.sendCommand(['EDDY.CLOSE', 'a b/ü', '6000'])
    assert.equal((await eddyline.observe('a b/ü', { service: 'cart' })).accepted, 1)
    for (const [over, other] of await Promise.all([
      Promise.all([eddyline.count('a b/ü', 'service', 'pay', 'ü'), direct.count('a b/ü', 'service', 'pay', 'ü')]),
      Promise.all([eddyline.top('a b/ü', 'service'), direct.top('a b/ü', 'service')]),
      Promise.all([eddyline.quantile('a b/ü', 'latency_ms', 0, 0.5, 1), direct.quantile('a b/ü', 'latency_ms', 0, 0.5, 1)])
    ])) {
      assert.deepEqual(over, other)
    }
    assert.ok((await eddyline.list()).includes('a b/ü'))
    const info = /** @type {any} */ (await eddyline.info('a b/ü'))
    assert.deepEqual([info.name, info.kind], ['a b/ü', 'module'])
    await eventually(() => eddyline.fingerprint('a b/ü').then((print) => print !== null), 'the fingerprint is written')
    const print = await eddyline.fingerprint('a b/ü', '6000-0')
    assert.deepEqual([print?.id, print?.n, print?.values.count], ['6000-0', 3, 3])
    assert.equal((await eddyline.fingerprint('a b/ü'))?.id, '6000-0')
    assert.equal(await eddyline.fingerprint('a b/ü', '7000-0'), null)
  })

  it('says what is wrong in types', async () => {
    await assert.rejects(eddyline.observe('nobody', { a: 1 }), { name: 'NotFound', code: 'unknown_monitor' })
    await assert.rejects(eddyline.info('nobody'), NotFound)
    await assert.rejects(eddyline.count('a b/ü', 'nothing', 'x'), NotFound)
  })

  it('takes batches', async (test) => {
    await direct.create('batched', { windowMs: DAY, dimensions: ['a', 'b'] })
    const batcher = eddyline.batcher()
    test.after(() => batcher.close(0))
    for (let at = 0; at < 2500; at++) {
      batcher.observe('batched', at % 2 ? { a: at } : { b: true })
    }
    assert.ok(await batcher.flush(30_000))
    assert.deepEqual([batcher.stats().sent, (await direct.info('batched')).observations], [2500, 2500])
    batcher.observe('nobody', { a: 1 })
    assert.ok(await batcher.flush(30_000))
    assert.ok(batcher.stats().lastError instanceof NotFound)
  })

  it('alerts are told once though the gateway is killed in between', async (test) => {
    for (const monitor of ['first', 'x', 'y']) {
      await direct.create(monitor, { clock: 'stream', dimensions: ['a'] })
    }
    const stop = new AbortController()
    test.after(() => stop.abort())
    /** @type {Alert[]} */
    const all = []
    void (async () => {
      for await (const alert of eddyline.alerts({ signal: stop.signal })) {
        all.push(alert)
      }
    })()
    // Heard as soon as it listens.
    let first = Date.now()
    await eventually(async () => {
      await redis.tell('first', `${first++}-0`)
      return all.length > 0
    }, 'it listens')
    await eventually(() => all.at(-1)?.entry === `${first - 1}-0`, 'all so far')
    const count = all.length
    const told = []
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < 20; at++) {
        told.push(await redis.tell(at % 2 ? 'x' : 'y', `${first + 100 * round + at}-0`))
      }
      await eventually(() => all.length > count + 20 * round, 'some are told')
      await served.kill()
      served = await gateway(scope, server, served.port)
    }
    await eventually(() => all.length >= count + told.length, 'all are told')
    const names = (/** @type {Alert[]} */ alerts) => alerts.map(({ monitor, entry }) => `${monitor} ${entry}`)
    assert.deepEqual(names(all.slice(count)).sort(), names(told).sort())
  })
})
