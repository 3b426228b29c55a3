/** A number about the business as a vector monitor: `docs/vectors.md`. */
import { InvalidArgument } from './errors.js'
import { CLOSED, companions } from './names.js'
import { text } from './replies.js'

/** @import { RedisClient } from './redis/client.js' */

/**
 * @typedef {object} BusinessMetricOptions
 * @property {[low: number | null, high: number | null]} [expectedRange] a value outside opens an incident at once, from the
 *   first value on; null is no limit
 * @property {number} [periodMs] how often a value comes, in ms, 100 to a day; a minute
 */

/** Name of the one feature. */
export const FEATURE = 'value'
/** Values that are kept. */
const RETENTION = '20000'
const MINUTE = 60_000
const DAY = 86_400_000

/**
 * `[0.7, 0.95]` as `0.7..0.95`.
 * @param {unknown} range
 * @returns {string}
 */
export function rangeText(range) {
  const [low, high] = Array.isArray(range) && range.length === 2 ? range : [undefined, undefined]
  const isLimit = (/** @type {unknown} */ limit) => limit === null || Number.isFinite(limit)
  const isEmpty = low === null && high === null
  if (!isLimit(low) || !isLimit(high) || isEmpty || (low !== null && high !== null && low > high)) {
    throw new InvalidArgument('expectedRange is [low, high] with low <= high; one of them may be null, as in [null, 800]')
  }
  return `${low ?? ''}..${high ?? ''}`
}

/**
 * A value that may be sent, with the text of its range and its period.
 * @param {string} name
 * @param {number} value
 * @param {BusinessMetricOptions} options
 */
export function checked(name, value, { expectedRange, periodMs = MINUTE }) {
  if (!Number.isFinite(value)) {
    throw new InvalidArgument(`the value of '${name}' must be a finite number, got ${String(value)}`)
  }
  if (!Number.isInteger(periodMs) || periodMs < 100 || periodMs > DAY) {
    throw new InvalidArgument(`periodMs is a whole number from 100 to ${DAY}, got ${String(periodMs)}`)
  }
  return { periodMs, range: expectedRange === undefined ? undefined : rangeText(expectedRange) }
}

/**
 * @param {RedisClient} client
 * @param {string} name
 * @param {number} value
 * @param {BusinessMetricOptions} [options]
 * @returns {Promise<string>}
 */
export async function businessMetric(client, name, value, options = {}) {
  const keys = companions(name)
  const { periodMs, range } = checked(name, value, options)
  // Sent with each value, so that nothing has to be set up and a database that was emptied is found again. What an operator
  // chose for the period stays; a range in the code is the one that counts.
  const [id] = await Promise.all([
    client.call('XADD', [keys.fingerprints, 'MAXLEN', '~', RETENTION, '*', FEATURE, String(value)]),
    client.call('HSETNX', [keys.settings, 'period_ms', String(periodMs)]),
    range === undefined ? undefined : client.call('HSET', [keys.settings, `expect:${FEATURE}`, range]),
    client.call('PUBLISH', [CLOSED, name])
  ])
  return text(id)
}
