/** Feedback over Redis is the same to the byte as what `eddyline feedback` writes, and its worker reads it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { Eddyline } from '../src/index.js'
import { readRecord, recordText, saidOf, size, withSaid, withoutLast } from '../src/feedback/record.js'
import { newest, oldest } from './support/clients.js'
import { Server, program } from './support/server.js'
import { teller } from './support/teller.js'

const GOLDEN = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../crates/wire/fixtures/alert.json'), 'utf8'))
const CAUSE = GOLDEN.causes[0]
/** An incident of many causes, some of them odd. */
const ODD = {
  incident: '00000000000000aa',
  summary: `ü😀${'x'.repeat(300)}`,
  causes: [
    CAUSE,
    { ...CAUSE, items: [], direction: 'down', expected: 0, low: 0, high: 0, observed: 1e-9 },
    { ...CAUSE, observed: 1e300, expected: -1e300, low: -1e308, high: 1e308 },
    { ...CAUSE, expected: 0.1, observed: 0.3 },
    CAUSE,
    CAUSE
  ]
}

for (const kit of [...newest, ...oldest]) {
  it(`what is said stands as 'eddyline feedback' would have written it: ${kit.name}`, async (test) => {
    const server = await Server.plain(test)
    const redis = await teller(server.port, test)
    const eddyline = new Eddyline(await kit.open(server.port, test))
    await redis.tell('{a}:m', '1-0', ODD)
    for (let ms = 2; ms < 300; ms++) {
      await redis.tell('{a}:m', `${ms}-0`)
    }
    const told = async () => /** @type {any} */ (JSON.parse((await redis.client.hGet('{a}:m:settings', 'feedback')) ?? 'null'))
    const run = async (/** @type {string[]} */ ...args) => {
      const { told: printed, exited } = program(test, ['feedback', ...args, '--redis', server.url])
      assert.equal(await exited, 0, printed.text)
      return printed.text
    }
    await run(ODD.incident, 'normal', '--by', 'ann')
    const theirs = await told()
    await run(ODD.incident, 'undo', '--by', 'ann')
    assert.equal(await told(), null)
    const given = await eddyline.feedback(ODD.incident, 'normal', { by: 'ann' })
    assert.deepEqual([given.monitor, given.said.what], ['{a}:m', 'normal'])
    const ours = await told()
    const timeless = (/** @type {any} */ record) => ({ ...record, said: record.said.map((/** @type {any} */ said) => ({ ...said, at_ms: 0 })) })
    assert.deepEqual(timeless(ours), timeless(theirs))
    assert.deepEqual(Object.keys(ours.said[0]), Object.keys(theirs.said[0]))

    const before = Date.now()
    await eddyline.feedback(GOLDEN.incident, 'snooze', { forMs: 3_600_000, monitor: '{a}:m' })
    const { until_ms: until, at_ms: at } = (await told()).said[1]
    assert.equal(until - at, 3_600_000)
    assert.ok(Math.abs(at - before) < 60_000)
    const listed = await run('--list')
    assert.match(listed, /normal/)
    assert.match(listed, /snooze/)
    await eddyline.feedback(GOLDEN.incident, 'undo', { by: 'bob' })
    await eddyline.feedback(ODD.incident, 'anomaly')
    assert.deepEqual((await told()).said.map((/** @type {any} */ said) => said.what), ['normal', 'anomaly'])
    const entries = (await redis.client.xRange('{eddyline}:audit', '-', '+')) ?? []
    const audit = entries.map(({ message }) => `${message.by}: ${message.what}`)
    assert.deepEqual(audit.filter((line) => !line.includes('until')), ['ann: normal', 'ann: undo normal', 'ann: normal', 'unknown: anomaly'])
    assert.match(audit[3] ?? '', /^unknown: snooze until \d{4}-.*Z$/)
    assert.match(audit[4] ?? '', /^bob: undo snooze until /)

    await assert.rejects(eddyline.feedback('ffff', 'normal'), { name: 'NotFound', code: 'unknown_incident' })
    await assert.rejects(eddyline.feedback('ffff', 'undo'), { code: 'nothing_said' })
    await redis.client.hSet('{a}:m:settings', 'feedback', 'scribble')
    await assert.rejects(eddyline.feedback(ODD.incident, 'normal'), { code: 'unreadable_feedback' })
    assert.equal(await redis.client.hGet('{a}:m:settings', 'feedback'), 'scribble')
  })
}

describe('the record', () => {
  const said = (/** @type {string} */ incident, what = /** @type {any} */ ({ what: 'normal' }), at = 5) =>
    saidOf({ ...GOLDEN, incident }, what, 'ann', at)
  const empty = () => readRecord('', 'key')

  it('there is room for 64 and what is over goes first', () => {
    let record = withSaid(empty(), said('snoozed', { what: 'snooze', until_ms: 9 }), 'm')
    for (let at = 1; at < 64; at++) {
      record = withSaid(record, said(String(at)), 'm')
    }
    assert.throws(() => withSaid(record, said('more', undefined, 8), 'm'), { code: 'feedback_full' })
    assert.equal(withSaid(record, said('3', undefined, 8), 'm').said.length, 64)
    record = withSaid(record, said('more', undefined, 9), 'm')
    assert.deepEqual([record.said.length, record.said[0]?.incident, record.said[63]?.incident], [64, '1', 'more'])
  })

  it('what was said last is taken back', () => {
    const record = withSaid(withSaid(empty(), said('a'), 'm'), said('a', { what: 'anomaly' }), 'm')
    const left = withoutLast(record, 'a')
    assert.deepEqual([left?.said.what, left?.record.said.length], ['anomaly', 1])
    assert.equal(withoutLast(record, 'b'), undefined)
    assert.equal(recordText(empty()), '')
    assert.deepEqual(readRecord(recordText(record), 'key'), record)
  })

  it('sizes are numbers whatever comes', () => {
    for (const observed of [0, NaN, Infinity, -Number.MAX_VALUE, Number.MAX_VALUE]) {
      for (const expected of [0, NaN, -Infinity, Number.MAX_VALUE]) {
        const { deviation, relative } = size({ observed, expected, low: expected, high: observed })
        assert.ok(deviation >= 0 && relative >= 0 && Number.isFinite(deviation) && Number.isFinite(relative), `${observed} ${expected}`)
      }
    }
  })
})
