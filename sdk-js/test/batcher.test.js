/** Observations in the background: all are counted, nothing waits, and what can't be sent is dropped and counted. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { Batcher, Eddyline, InvalidArgument, NotFound, Refused, Unavailable } from '../src/index.js'
import { Queue } from '../src/batcher/queue.js'
import { kits, newest } from './support/clients.js'
import { Server, eventually } from './support/server.js'

/** A window that stays open: all that is counted is in it. */
const DAY = 86_400_000

for (const kit of kits) {
  it(`everything that is observed is counted, whatever its fields: ${kit.name}`, async (test) => {
    const server = await Server.start(test)
    const eddyline = new Eddyline(await kit.open(server.port, test))
    const batcher = eddyline.batcher({ monitors: { m: { windowMs: DAY, dimensions: ['a', 'b', 'c'] } } })
    for (let at = 0; at < 3000; at++) {
      assert.ok(batcher.observe('m', [{ a: at, b: true }, { b: 'ü'.repeat(at % 5) }, { c: null, a: 1 }][at % 3] ?? {}))
    }
    assert.ok(await batcher.flush())
    assert.equal((await eddyline.info('m')).observations, 3000)
    assert.deepEqual(await eddyline.count('m', 'a', '1', '3'), [
      { item: '1', open: 1000, last: 0, usual: 0 },
      { item: '3', open: 1, last: 0, usual: 0 }
    ])
    const { queued, sent, dropped } = batcher.stats()
    assert.deepEqual([queued, sent, total(dropped)], [0, 3000, 0])
    await batcher.close()
  })
}

for (const kit of newest) {
  describe(kit.name, () => {
    it('while Redis is away it drops what is too much or too old, and goes on by itself', async (test) => {
      const server = await Server.start(test)
      const eddyline = new Eddyline(await kit.open(server.port, test))
      const batcher = eddyline.batcher({
        maxQueued: 1000, maxBatch: 100, maxAgeMs: 50, flushMs: 10, monitors: { m: { windowMs: DAY, dimensions: ['a'] } }
      })
      test.after(() => batcher.close(0))
      batcher.observe('m', { a: 'before' })
      assert.ok(await batcher.flush())
      await server.kill()
      await eventually(() => !eddyline.transport.isReady(), 'the client knows')
      for (let at = 0; at < 5000; at++) {
        batcher.observe('m', { a: 'meanwhile' })
      }
      assert.ok(batcher.stats().queued <= 1000)
      assert.ok(batcher.stats().dropped.full >= 3000)
      await eventually(() => batcher.stats().queued === 0, 'what is old is dropped')
      await server.run()
      let given = 5001
      await eventually(() => {
        given++
        batcher.observe('m', { a: 'after' })
        return batcher.stats().sent > 1
      }, 'it sends again')
      await batcher.flush()
      const { sent, dropped, queued } = batcher.stats()
      // An emptied server: the monitor was made anew.
      const [before, , after] = await eddyline.count('m', 'a', 'before', 'meanwhile', 'after')
      assert.deepEqual([before?.open, after?.open], [0, sent - 1])
      assert.equal(sent + total(dropped), given)
      assert.equal(queued, 0)
    })

    it('what the server refuses is counted and named, and a monitor that is missing is made if it was defined', async (test) => {
      const server = await Server.start(test)
      const client = await kit.open(server.port, test)
      const eddyline = new Eddyline(client)
      const batcher = eddyline.batcher({ monitors: { known: { windowMs: DAY, dimensions: ['a'] } } })
      test.after(() => batcher.close(0))
      batcher.observe('unknown', { a: 1 })
      batcher.observe('known', { a: 1 })
      assert.ok(await batcher.flush())
      assert.equal(batcher.stats().dropped.refused, 1)
      assert.ok(batcher.stats().lastError instanceof NotFound)
      await (kit.isNodeRedis ? client.sendCommand(['DEL', 'known']) : client.call('DEL', 'known'))
      batcher.observe('known', { a: 2 })
      assert.ok(await batcher.flush())
      assert.equal((await eddyline.info('known')).observations, 1)
      assert.equal(batcher.stats().dropped.refused, 1)
    })
  })
}

describe('a batcher', () => {
  /** A transport that answers when it is told to. */
  function manual() {
    /** @type {{ batch: import('../src/batcher/queue.js').Batch, answer: (error?: Error) => void }[]} */
    const calls = []
    const transport = {
      isReady: () => true,
      send: (/** @type {import('../src/batcher/queue.js').Batch} */ batch) =>
        new Promise((done, failed) => calls.push({ batch, answer: (error) => (error ? failed(error) : done(undefined)) })),
      create: () => Promise.resolve()
    }
    return { calls, target: { transport } }
  }

  it('never throws, whatever it is given', async (test) => {
    const { target, calls } = manual()
    const batcher = new Batcher(target)
    test.after(() => batcher.close(0))
    const hostile = { get a() { throw new Error('no') } }
    const odd = [null, undefined, 5, 'text', [], {}, { a: {} }, { a: undefined }, { '': 1 }, { ['x'.repeat(2000)]: 1 }, hostile]
    for (const fields of odd) {
      assert.equal(batcher.observe('m', /** @type {any} */ (fields)), false, String(fields))
    }
    for (const monitor of ['', '{m}', null, 5, 'x'.repeat(2000), Symbol('x')]) {
      assert.equal(batcher.observe(/** @type {any} */ (monitor), { a: 1 }), false)
    }
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`f${at}`, at]))
    assert.equal(batcher.observe('m', many), false)
    assert.equal(batcher.stats().dropped.invalid, odd.length + 7)
    assert.equal(calls.length, 0)
  })

  it('a value that can not be sent is left out of its observation', async (test) => {
    const { target, calls } = manual()
    const batcher = new Batcher(target)
    test.after(() => batcher.close(0))
    assert.ok(batcher.observe('m', /** @type {any} */ ({ a: 1, b: 'x'.repeat(1025), c: {}, d: 7n, e: null })))
    void batcher.flush()
    await eventually(() => calls.length === 1, 'it is sent')
    assert.deepEqual([calls[0]?.batch.columns, calls[0]?.batch.values], [['a', 'd'], [1, '7']])
    assert.equal(batcher.stats().leftOut, 2)
    calls[0]?.answer()
  })

  it('has at most eight commands under way, and says what became of each', async (test) => {
    const { target, calls } = manual()
    const batcher = new Batcher(target, { maxBatch: 10, maxQueued: 200 })
    test.after(() => batcher.close(0))
    for (let at = 0; at < 250; at++) {
      batcher.observe('m', { a: at })
    }
    await eventually(() => calls.length === 8, 'eight are sent')
    assert.deepEqual([batcher.stats().queued, batcher.stats().dropped.full], [120, 50])
    calls[0]?.answer(new Unavailable('gone'))
    calls[1]?.answer(new Refused('refused', 'no'))
    calls[2]?.answer()
    await eventually(() => calls.length === 11, 'three more are sent')
    const { sent, dropped } = batcher.stats()
    assert.deepEqual([sent, dropped.lost, dropped.refused], [10, 10, 10])
    const flushed = batcher.flush()
    for (let at = 3; at < 20; at++) {
      await eventually(() => calls.length > at, 'the next')
      calls[at]?.answer()
    }
    assert.ok(await flushed)
    assert.deepEqual(calls.map(({ batch }) => batch.values[0]), Array.from({ length: 20 }, (_, at) => at * 10))
  })

  it('flush and close end in time even if nobody answers, and a closed one takes nothing', async () => {
    const { target, calls } = manual()
    const batcher = new Batcher(target)
    batcher.observe('m', { a: 1 })
    assert.equal(await batcher.flush(20), false)
    assert.equal(calls.length, 1)
    await batcher.close(20)
    assert.equal(batcher.observe('m', { a: 1 }), false)
    assert.equal(batcher.stats().dropped.closed, 1)
  })

  it('options out of range are refused by name', () => {
    const { target } = manual()
    assert.throws(() => new Batcher(target, { maxBatch: 1001 }), /maxBatch is a whole number from 1 to 1000, got 1001/)
    assert.throws(() => new Batcher(target, { monitors: { m: /** @type {any} */ ({ dims: [] }) } }), /no option 'dims'/)
    assert.throws(() => new Batcher(/** @type {any} */ ({})), InvalidArgument)
  })

  it('sends what waits before its process ends, which it does not keep alive', async (test) => {
    const server = await Server.start(test)
    const script = resolve(import.meta.dirname, 'support/short-lived.js')
    const running = spawn(process.execPath, [script, String(server.port)], { stdio: 'inherit' })
    assert.equal(await new Promise((done) => running.once('exit', done)), 0)
    const eddyline = new Eddyline(await /** @type {any} */ (newest[0]).open(server.port, test))
    assert.equal((await eddyline.info('m')).observations, 10)
  })
})

describe('the queue', () => {
  it('keeps observations of the same fields together, in their order, and others apart', () => {
    const queue = new Queue(100, 3)
    const rows = [{ a: 1 }, { a: 2 }, { b: 1 }, { a: 3 }, { a: 4 }, { a: 1, b: 2 }, { b: 2, a: 1 }]
    rows.forEach((row) => assert.equal(queue.add('m', row), 'taken'))
    assert.equal(queue.add('n', { a: 1 }), 'taken')
    queue.cut()
    const batches = []
    for (let batch = queue.take(); batch; batch = queue.take()) {
      batches.push([batch.monitor, batch.columns.join(), batch.values.join()])
    }
    assert.deepEqual(batches, [
      ['m', 'a', '1,2,3'], ['m', 'b', '1'], ['m', 'a', '4'], ['m', 'a,b', '1,2'], ['m', 'b,a', '2,1'], ['n', 'a', '1']
    ])
    assert.equal(queue.rows, 0)
  })

  it('holds so many observations and so much text, and no more', () => {
    const queue = new Queue(10, 5)
    const outcomes = Array.from({ length: 12 }, () => queue.add('m', { a: 1 }))
    assert.deepEqual(outcomes.slice(9), ['taken', 'full', 'full'])
    const large = new Queue(1_000_000, 1000)
    const text = 'x'.repeat(1024)
    let taken = 0
    while (large.add('m', { a: text }) === 'taken') {
      taken++
    }
    assert.equal(taken, 32 * 1024)
    while (large.take()) {
      // all of it
    }
    assert.equal(large.add('m', { a: text }), 'taken')
  })
})

/** @param {Record<string, number>} dropped */
function total(dropped) {
  return Object.values(dropped).reduce((sum, n) => sum + n, 0)
}
