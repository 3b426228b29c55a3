/** eddyline over HTTP, where there is no Redis client: in a browser, at the edge, in another network. */
import { Batcher } from '../batcher/batcher.js'
import { FEATURE, checked } from '../business-metric.js'
import { InvalidArgument } from '../errors.js'
import { companions } from '../names.js'
import { present } from '../values.js'
import { HttpAlerts } from './alerts.js'
import { Connection } from './connection.js'
import { httpTransport, newKey, path } from './transport.js'

/** @import { BatcherOptions } from '../batcher/batcher.js' */
/** @import { BusinessMetricOptions } from '../business-metric.js' */
/** @import { ItemCount } from '../commands/count.js' */
/** @import { Definition } from '../commands/create.js' */
/** @import { Fingerprint } from '../commands/fingerprint.js' */
/** @import { Top } from '../commands/top.js' */
/** @import { FeedbackWord } from '../feedback/words.js' */
/** @import { Fields } from '../values.js' */
/** @import { HttpAlertOptions } from './alerts.js' */
/** @import { HttpOptions } from './connection.js' */

/**
 * What became of observations.
 * @typedef {object} Accepted
 * @property {number} accepted
 * @property {number} rejected
 * @property {{ index: number, code: string, message: string }[]} errors of those rejected, at most 100
 */

/**
 * The same as `Eddyline`, through the gateway (`eddyline serve`, `eddyline worker --http`).
 * @example
 * const eddyline = new EddylineHttp('http://127.0.0.1:8080')
 * await eddyline.observe('checkout', { endpoint: '/charge', status: 200, latency_ms: 34 })
 */
export class EddylineHttp {
  #connection

  /**
   * @param {string | URL} url of the gateway, such as `http://127.0.0.1:8080`
   * @param {HttpOptions} [options]
   */
  constructor(url, options = {}) {
    this.#connection = new Connection(url, options)
    /**
     * How a {@link Batcher} sends.
     * @readonly
     */
    this.transport = httpTransport(this.#connection)
  }

  /**
   * Makes a monitor (scope admin). Resolves to false where the same is there already, with `ifMissing` also another.
   * @param {string} monitor
   * @param {Definition} [definition]
   * @returns {Promise<boolean>}
   */
  create(monitor, definition = {}) {
    return this.transport.define(monitor, definition)
  }

  /**
   * Counts one observation (scope write).
   * @param {string} monitor
   * @param {Fields} fields
   * @returns {Promise<Accepted>}
   */
  observe(monitor, fields) {
    return this.observeMany(monitor, [fields])
  }

  /**
   * Counts many observations with one request (scope write). Tried again where that is safe: an idempotency key makes sure that
   * they count once.
   * @param {string} monitor
   * @param {Iterable<Fields>} rows
   * @returns {Promise<Accepted>}
   */
  async observeMany(monitor, rows) {
    companions(monitor)
    const items = [...rows].map((row) => Object.fromEntries(present(row)))
    if (items.length === 0) {
      return { accepted: 0, rejected: 0, errors: [] }
    }
    return this.transport.post(monitor, items)
  }

  /**
   * How often items were counted (scope read).
   * @param {string} monitor
   * @param {string} dimension
   * @param {...string} items at most 100
   * @returns {Promise<ItemCount[]>}
   */
  async count(monitor, dimension, ...items) {
    const query = items.map((item) => /** @type {[string, string]} */ (['item', item]))
    return (await this.#connection.json(`${path(monitor)}/count`, { query: [['dimension', dimension], ...query] })).items
  }

  /**
   * The heaviest items of the open window and of the last one (scope read).
   * @param {string} monitor
   * @param {string} dimension
   * @param {number} [k] how many, 1 to 32; 10
   * @returns {Promise<Top>}
   */
  async top(monitor, dimension, k) {
    /** @type {{ items: ItemCount[] }} */
    const { items } = await this.#connection.json(`${path(monitor)}/top`, { query: [['dimension', dimension], ['k', k]] })
    const heaviest = (/** @type {'open' | 'last'} */ window) =>
      items
        .map((item) => ({ item: item.item, count: item[window] }))
        .filter(({ count }) => count > 0)
        .sort((a, b) => b.count - a.count)
    return { open: heaviest('open'), last: heaviest('last') }
  }

  /**
   * Quantiles of a measure in the last window (scope read), in its unit; null where that has no value.
   * @param {string} monitor
   * @param {string} measure
   * @param {...number} ranks from 0 to 1, at most 20
   * @returns {Promise<(number | null)[]>}
   */
  async quantile(monitor, measure, ...ranks) {
    const query = /** @type {[string, string][]} */ ([['measure', measure], ['q', ranks.join()]])
    const answer = await this.#connection.json(`${path(monitor)}/quantiles`, { query })
    return answer.quantiles.map((/** @type {{ value: number | null }} */ { value }) => value)
  }

  /**
   * The last fingerprint, or the one under an id (scope read); null where there is none. It has no `top` over HTTP, and its
   * values are numbers without the buckets.
   * @param {string} monitor
   * @param {string} [id] `<end of the window in ms>-0`
   * @returns {Promise<Fingerprint | null>}
   */
  async fingerprint(monitor, id) {
    const ms = id === undefined ? undefined : /^(\d{1,15})-0$/.exec(id)?.[1]
    if (id !== undefined && ms === undefined) {
      throw new InvalidArgument(`the id of a fingerprint is <end of the window in ms>-0, got '${id}'`)
    }
    const end = Number(ms)
    /** @type {[string, string | number][]} */
    const around = ms === undefined ? [] : [['after', `${Math.max(end - 1, 0)}-0`], ['before', `${end + 1}-0`]]
    const answer = await this.#connection.json(`${path(monitor)}/fingerprints`, { query: [...around, ['limit', 1]] })
    if (answer.fingerprints.length === 0) {
      return null
    }
    const [{ id: own, n, gap_ms: gap, partial, values }] = answer.fingerprints
    return { id: own, n, gapMs: gap ?? 0, partial: partial ?? false, top: {}, values }
  }

  /**
   * What is known of a monitor (scope read): state, last score, settings, and under `info` what `EDDY.INFO` says.
   * @param {string} monitor
   * @returns {Promise<Record<string, unknown>>}
   */
  info(monitor) {
    return this.#connection.json(path(monitor))
  }

  /**
   * The names of all monitors (scope read).
   * @returns {Promise<string[]>}
   */
  async list() {
    const { monitors } = await this.#connection.json('/v1/monitors')
    return monitors.map((/** @type {{ name: string }} */ { name }) => name)
  }

  /**
   * A number about the business, such as orders a minute: one value a period, judged like any other (scope write). Needs no
   * module. Tried again where that is safe: an idempotency key makes sure that it is added once.
   * @param {string} name of the monitor that the number becomes
   * @param {number} value
   * @param {BusinessMetricOptions} [options]
   * @returns {Promise<string>} id of the value's window
   * @example
   * await eddyline.businessMetric('orders', 41, { expectedRange: [10, null], periodMs: 60_000 })
   */
  async businessMetric(name, value, options = {}) {
    const to = `${path(name)}/vectors`
    const { periodMs, range } = checked(name, value, options)
    const expect = range === undefined ? undefined : { [FEATURE]: range }
    const body = JSON.stringify({ values: { [FEATURE]: value }, period_ms: periodMs, expect })
    return (await this.#connection.json(to, { method: 'POST', body, idempotencyKey: newKey() })).id
  }

  /**
   * Alerts from now on, each once, in order for each monitor, taken up again where a connection broke (scope read). Ends with
   * `break`, with `return()`, or by the signal.
   * @param {HttpAlertOptions} [options]
   */
  alerts(options) {
    return new HttpAlerts(this.#connection, options)
  }

  /**
   * Says what an incident was (scope admin): `normal`, `anomaly`, `snooze` or `undo`.
   * @param {string} incident the id in every alert
   * @param {FeedbackWord} word
   * @param {{ forMs?: number, by?: string, monitor?: string }} [options] `forMs`: how long a snooze lasts, in ms
   * @returns {Promise<{ incident: string, word: string, message: string }>}
   */
  feedback(incident, word, { forMs, by, monitor } = {}) {
    const seconds = forMs === undefined ? undefined : `${Math.ceil(forMs / 1000)}s`
    const body = JSON.stringify({ word, for: seconds, by, monitor })
    return this.#connection.json(`/v1/incidents/${encodeURIComponent(incident)}/feedback`, { method: 'POST', body })
  }

  /**
   * Observations without waiting, and without a thought of the network.
   * @param {BatcherOptions} [options]
   */
  batcher(options) {
    return new Batcher(this, options)
  }
}
