/** What stands in `crates/wire`, read here: a change on one side fails on the other. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { parseAlert } from '../src/index.js'
import { count } from '../src/commands/count.js'
import { create } from '../src/commands/create.js'
import { fingerprint } from '../src/commands/fingerprint.js'
import { info } from '../src/commands/info.js'
import { observe } from '../src/commands/observe.js'
import { observeMany } from '../src/commands/observe-many.js'
import { quantile } from '../src/commands/quantile.js'
import { top } from '../src/commands/top.js'
import { ALERTS, AUDIT, CLOSED, companions, ownerOfIncidents } from '../src/names.js'

const FIXTURES = resolve(import.meta.dirname, '../../crates/wire/fixtures')
const fixture = (/** @type {string} */ name) => readFileSync(join(FIXTURES, name), 'utf8').trim()

describe('alerts', () => {
  it('the golden alert has every field that is promised, and reads back to the same text', () => {
    const alert = parseAlert(fixture('alert.json'))
    const shape = {
      v: 'number', event: 'string', incident: 'string', monitor: 'string', deployment: 'string', db: 'number',
      severity: 'string', score: 'number', p: 'number', rarity: 'string', summary: 'string', since: 'string',
      since_ms: 'number', window_end_ms: 'number', window_ms: 'number', windows: 'number', causes: 'object', entry: 'string'
    }
    const found = Object.entries(alert).map(([field, value]) => [field, typeof value])
    assert.deepEqual(Object.fromEntries(found), shape)
    const [cause] = alert.causes
    assert.deepEqual(Object.keys(cause ?? {}), [
      'kind', 'feature', 'what', 'direction', 'expected', 'low', 'high', 'observed', 'share', 'items'
    ])
    assert.deepEqual([cause?.items, alert.entry, alert.p], [[{ item: 'pay', count: 118 }], '1795166105000-0', 2.5e-8])
    assert.equal(alert.since_ms, Date.parse(alert.since))
  })

  it('fields of newer releases are kept, another version is refused, and so is what was cut off', () => {
    const text = fixture('alert.json')
    const newer = parseAlert(text.replace('{"v":1', '{"v":1,"mood":"tense"'))
    assert.equal(/** @type {any} */ (newer).mood, 'tense')
    assert.throws(() => parseAlert(text.replace('"v":1', '"v":2')), /version 2, this package reads 1/)
    for (let end = 0; end < text.length; end += 7) {
      assert.throws(() => parseAlert(text.slice(0, end)), { code: 'unreadable_alert' })
    }
    for (const other of ['null', '1', '[]', '{}', '"x"']) {
      assert.throws(() => parseAlert(other), { code: 'unreadable_alert' })
    }
  })
})

describe('names', () => {
  const keys = JSON.parse(fixture('keys.json'))

  it('every key and channel is where Rust puts it', () => {
    assert.deepEqual([ALERTS, CLOSED, AUDIT], [keys.alerts, keys.closed, keys.audit])
    for (const { monitor, fingerprints, incidents, settings, alerts } of keys.companions) {
      assert.deepEqual(companions(monitor), { fingerprints, incidents, settings, alerts })
    }
  })

  it('names whose companions would collide or change slot are refused', () => {
    for (const name of [...keys.refused, '{{a}}b', 'x'.repeat(1025), 'ü'.repeat(513)]) {
      assert.throws(() => companions(name), { code: 'invalid_argument' }, name)
    }
  })

  it('a stream of incidents names its monitor', () => {
    for (const name of ['checkout', '{shop}:checkout', 'eu-{shop}', 'incidents', 'a:incidents', 'a\nb']) {
      assert.equal(ownerOfIncidents(companions(name).incidents), name)
    }
    for (const key of ['checkout:incidents', '{checkout}', '{a}{b}:incidents', ':incidents', '{}:incidents', '{a}:scores']) {
      assert.equal(ownerOfIncidents(key), undefined, key)
    }
  })
})

describe('commands', () => {
  /** What is called here for each golden sample, in their order. */
  const calls = {
    'EDDY.CREATE': [
      create.words('checkout'),
      create.words('checkout', { ifMissing: true }),
      create.words('checkout', {
        sources: ['metrics', 'more'], from: '5-1', clock: 'stream', windowMs: 1000, buckets: 64, retention: 500, memory: 65_536,
        dimensions: ['service', 'status'], crosses: ['service*latency_ms'], measures: ['latency_ms@0.25'], uniques: ['user'],
        hashed: ['user'], salt: '000102030405060708090a0b0c0d0e0f', ifMissing: true
      })
    ],
    'EDDY.OBSERVE': [observe.words('checkout', { endpoint: '/charge', status: 500, latency_ms: 812.5, cached: true, absent: null })],
    'EDDY.MOBSERVE': [observeMany.words('checkout', [{ endpoint: '/charge', status: 200 }, { endpoint: '/refund', status: 500 }])],
    'EDDY.COUNT': [count.words('checkout', 'service*status', ['pay*500', 'cart*200'])],
    'EDDY.TOP': [top.words('checkout', 'endpoint')],
    'EDDY.QUANTILE': [quantile.words('checkout', 'latency_ms', [0.5, 0.99])],
    'EDDY.FINGERPRINT': [fingerprint.words('checkout'), fingerprint.words('checkout', '1795166105000-0')],
    'EDDY.INFO': [info.words('checkout')]
  }

  it('are the words that Rust reads', () => {
    /** @type {{ command: string, samples: string[][] }[]} */
    const golden = JSON.parse(fixture('commands.json'))
    assert.deepEqual(calls, Object.fromEntries(golden.map(({ command, samples }) => [command, samples])))
    const named = [create, observe, observeMany, count, top, quantile, fingerprint, info].map(({ name }) => name)
    assert.deepEqual(named, Object.keys(calls))
  })
})
