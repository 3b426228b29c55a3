/** What stands in `crates/wire`, read here: a change on one side fails on the other. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { parseAlert } from '../src/index.js'
import { companions, ownerOfIncidents } from '../src/names.js'

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
  // The cases of crates/wire/src/keys.rs.
  it("companions share the monitor's hash tag", () => {
    assert.equal(companions('checkout').fingerprints, '{checkout}:fingerprints')
    assert.equal(companions('{shop}:checkout').fingerprints, '{shop}:checkout:fingerprints')
    assert.equal(companions('eu-{shop}').fingerprints, 'eu-{shop}:fingerprints')
    assert.equal(companions('checkout').alerts, 'eddyline:alerts:checkout')
  })

  it('names whose companions would collide or change slot are refused', () => {
    for (const name of ['{checkout}', 'a{}b', 'a}b', 'a{b', '}a{', '{a}{b}', '{{a}}b', '', 'x'.repeat(1025), 'ü'.repeat(513)]) {
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

describe('fixtures', () => {
  it('none is there that no test of this package knows', () => {
    assert.deepEqual(readdirSync(FIXTURES).sort(), ['alert.json', 'schema.json'])
  })
})
