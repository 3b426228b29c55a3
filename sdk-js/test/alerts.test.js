/** Each alert once, in order for each monitor, whatever happens to connections. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Eddyline, InvalidArgument, NotAllowed } from '../src/index.js'
import { ALERTS, companions } from '../src/names.js'
import { compareIds } from '../src/alerts/ids.js'
import { kits, newest } from './support/clients.js'
import { Server, eventually } from './support/server.js'
import { teller } from './support/teller.js'

/** @import { Alert } from '../src/index.js' */

/**
 * Takes what comes, in the background.
 * @param {AsyncIterable<Alert>} alerts
 */
function collected(alerts) {
  /** @type {Alert[]} */
  const all = []
  const ended = (async () => {
    for await (const alert of alerts) {
      all.push(alert)
    }
  })()
  // Who doesn't wait for the end doesn't mind that the server goes first.
  ended.catch(() => {})
  return { all, ended }
}

const names = (/** @type {Alert[]} */ alerts) => alerts.map(({ monitor, entry }) => `${monitor} ${entry}`)

/** @param {Alert[]} alerts */
function assertOrdered(alerts) {
  for (const monitor of new Set(alerts.map((alert) => alert.monitor))) {
    const ids = alerts.filter((alert) => alert.monitor === monitor).map(({ entry }) => entry)
    assert.deepEqual(ids, ids.toSorted(compareIds), monitor)
  }
}

for (const kit of kits.filter(({ name }) => !name.includes('own shapes'))) {
  describe(kit.name, () => {
    it('100 broken connections among 1,000 alerts: each is told once, in order for each monitor', async (test) => {
      const server = await Server.plain(test)
      const redis = await teller(server.port, test)
      const alerts = new Eddyline(await kit.open(server.port, test)).alerts()
      const { all, ended } = collected(alerts)
      await eventually(() => redis.isHeard(), 'somebody listens')
      const told = []
      let broken = 0
      for (let at = 0; at < 1000; at++) {
        if (at % 10 === 5) {
          await eventually(() => redis.isHeard(), 'somebody listens again')
          // A client that reconnects may have two connections for a moment.
          broken += (await redis.killSubscribers()) > 0 ? 1 : 0
        }
        // The third monitor is first told of while nobody listens.
        const monitor = at < 505 ? ['a', '{b}:x'][at % 2] : ['a', '{b}:x', 'late'][at % 3]
        told.push(await redis.tell(/** @type {string} */ (monitor), `${1000 + Math.floor(at / 4)}-${at % 4}`))
      }
      await eventually(() => all.length >= told.length, 'all are heard')
      assert.equal(broken, 100)
      await alerts.return()
      await ended
      assert.deepEqual(names(all).sort(), names(told).sort())
      assertOrdered(all)
      assert.deepEqual(all.find(({ monitor }) => monitor === 'late')?.causes, told[0].causes)
    })

    it('what was told while the server was away comes when it is back, and an iteration that waits can be ended', async (test) => {
      const server = await Server.plain(test, ['--appendonly', 'yes', '--appendfsync', 'always'])
      const redis = await teller(server.port, test)
      await redis.tell('a', '5-0')
      const alerts = new Eddyline(await kit.open(server.port, test)).alerts()
      const { all, ended } = collected(alerts)
      await eventually(() => redis.isHeard(), 'somebody listens')
      await redis.tell('a', '6-0')
      await eventually(() => all.length === 1, 'the first')
      await server.kill()
      await server.run()
      await eventually(() => redis.tell('a', '7-0').catch(() => false), 'it can be told')
      await redis.tell('b', '1-0')
      await eventually(() => all.length === 3, 'the others')
      assert.deepEqual(names(all).toSorted(), ['a 6-0', 'a 7-0', 'b 1-0'])
      await alerts.return()
      await ended
      assert.deepEqual(await alerts.next(), { done: true, value: undefined })
      await eventually(async () => !(await redis.isHeard()), 'the connection is given back')
    })
  })
}

for (const kit of newest) {
  describe(`${kit.name}, options`, () => {
    it('sinceMs tells also what was told before, and monitors leaves others out', async (test) => {
      const server = await Server.plain(test)
      const redis = await teller(server.port, test)
      for (const monitor of ['a', 'b']) {
        for (let ms = 1; ms <= 250; ms++) {
          await redis.tell(monitor, `${ms}-0`)
        }
      }
      const { all } = collected(new Eddyline(await kit.open(server.port, test)).alerts({ sinceMs: 30, monitors: ['b'], signal: over(test) }))
      await eventually(() => redis.isHeard('eddyline:alerts:b'), 'somebody listens')
      await redis.tell('a', '300-0')
      await redis.tell('b', '300-0')
      await eventually(() => all.length === 222, 'all since then')
      assert.equal(all[0]?.entry, '30-0')
      assert.ok(all.every(({ monitor }) => monitor === 'b'))
      assertOrdered(all)
    })

    it('a monitor that is asked for by name may come into being while nobody listens', async (test) => {
      const server = await Server.plain(test)
      const redis = await teller(server.port, test)
      const { all } = collected(new Eddyline(await kit.open(server.port, test)).alerts({ monitors: ['a'], signal: over(test) }))
      const channel = 'eddyline:alerts:a'
      await eventually(() => redis.isHeard(channel), 'somebody listens')
      await redis.client.publish(channel, '{"monitor":"a","entry":"1-0"}')
      assert.equal(await redis.killSubscribers(), 1)
      await redis.tell('a', '2-0')
      await eventually(() => all.length === 1, 'the alert')
    })

    it('a signal ends it, before it began too', async (test) => {
      const server = await Server.plain(test)
      const redis = await teller(server.port, test)
      const eddyline = new Eddyline(await kit.open(server.port, test))
      const stop = new AbortController()
      const { ended } = collected(eddyline.alerts({ signal: stop.signal }))
      await eventually(() => redis.isHeard(), 'somebody listens')
      stop.abort()
      await ended
      await collected(eddyline.alerts({ signal: stop.signal })).ended
      await eventually(async () => !(await redis.isHeard()), 'nobody listens')
    })

    it('an entry that is no alert is left out, and what is published by others changes nothing', async (test) => {
      const server = await Server.plain(test)
      const redis = await teller(server.port, test)
      const { all } = collected(new Eddyline(await kit.open(server.port, test)).alerts({ signal: over(test) }))
      await eventually(() => redis.isHeard(), 'somebody listens')
      for (const text of ['', 'null', '[1]', '{"monitor":"x"}', '{"monitor":"{}","entry":"1-0"}', '{"monitor":"x","entry":"1"}']) {
        await redis.client.publish(ALERTS, text)
      }
      await redis.client.set(companions('text').incidents, 'no stream')
      await redis.client.publish(ALERTS, '{"monitor":"text","entry":"1-0"}')
      await redis.client.xAdd(companions('a').incidents, '1-0', { alert: 'garbage' })
      await redis.tell('a', '2-0')
      await eventually(() => all.length === 1, 'the alert')
      assert.equal(all[0]?.entry, '2-0')
    })

    it('a monitor that was renamed is not told of once more', async (test) => {
      const server = await Server.plain(test)
      const redis = await teller(server.port, test)
      await redis.tell('a', '1-0')
      const { all } = collected(new Eddyline(await kit.open(server.port, test)).alerts({ signal: over(test) }))
      await eventually(() => redis.isHeard(), 'somebody listens')
      await redis.tell('a', '2-0')
      await eventually(() => all.length === 1, 'the first')
      await redis.client.rename('{a}:incidents', '{b}:incidents')
      await redis.tell('b', '3-0')
      await eventually(() => all.length === 2, 'the second')
      assert.deepEqual(names(all), ['a 2-0', 'b 3-0'])
    })

    it('a user who may not listen is told, and a client that was closed ends it', async (test) => {
      const server = await Server.plain(test)
      const redis = await teller(server.port, test)
      const client = await kit.open(server.port, test)
      const { all, ended } = collected(new Eddyline(client).alerts())
      await eventually(() => redis.isHeard(), 'somebody listens')
      await redis.client.sendCommand(['ACL', 'SETUSER', 'default', '-xrange'])
      await redis.tell('a', '1-0')
      await assert.rejects(ended, NotAllowed)
      assert.equal(all.length, 0)
      await redis.client.sendCommand(['ACL', 'SETUSER', 'default', '+@all'])
      const second = collected(new Eddyline(client).alerts())
      await eventually(() => redis.isHeard(), 'somebody listens')
      const isOver = assert.rejects(second.ended, { code: 'unavailable' })
      kit.isNodeRedis ? client.destroy() : client.disconnect()
      await redis.tell('a', '2-0')
      await isOver
    })

    it('options out of range are refused', async (test) => {
      const server = await Server.plain(test)
      const eddyline = new Eddyline(await kit.open(server.port, test))
      assert.throws(() => eddyline.alerts({ sinceMs: -1 }), InvalidArgument)
      assert.throws(() => eddyline.alerts({ monitors: ['{}'] }), InvalidArgument)
    })
  })
}

/** @param {import('node:test').TestContext} test */
function over(test) {
  const stop = new AbortController()
  test.after(() => stop.abort())
  return stop.signal
}
