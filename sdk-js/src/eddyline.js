/** eddyline over the Redis client that the application has. */
import { Alerts } from './alerts/alerts.js'
import { Batcher } from './batcher/batcher.js'
import { businessMetric } from './business-metric.js'
import { count } from './commands/count.js'
import { create } from './commands/create.js'
import { fingerprint } from './commands/fingerprint.js'
import { info } from './commands/info.js'
import { list } from './commands/list.js'
import { observe } from './commands/observe.js'
import { observeMany, tables } from './commands/observe-many.js'
import { quantile } from './commands/quantile.js'
import { top } from './commands/top.js'
import { giveFeedback } from './feedback/give.js'
import { redisClient } from './redis/client.js'
import { redisTransport } from './batcher/transport.js'

/** @import { AlertOptions } from './alerts/alerts.js' */
/** @import { BatcherOptions } from './batcher/batcher.js' */
/** @import { BusinessMetricOptions } from './business-metric.js' */
/** @import { Definition } from './commands/create.js' */
/** @import { FeedbackOptions } from './feedback/give.js' */
/** @import { FeedbackWord } from './feedback/words.js' */
/** @import { AnyRedis } from './redis/client.js' */
/** @import { Fields } from './values.js' */

/**
 * All of eddyline over one Redis client. It opens no connection of its own but for {@link Eddyline.alerts}; the client
 * is yours to connect and to close.
 * @example
 * const eddyline = new Eddyline(client)
 * await eddyline.create('checkout', { dimensions: ['endpoint', 'status'], measures: ['latency_ms'], ifMissing: true })
 * await eddyline.observe('checkout', { endpoint: '/charge', status: 200, latency_ms: 34 })
 */
export class Eddyline {
  #client

  /** @param {AnyRedis} client of redis (node-redis) or ioredis, connected */
  constructor(client) {
    this.#client = redisClient(client)
    /**
     * How a {@link Batcher} sends.
     * @readonly
     */
    this.transport = redisTransport(this.#client)
  }

  /**
   * Makes a monitor. Resolves to false where `ifMissing` found one.
   * @param {string} monitor
   * @param {Definition} [definition]
   * @returns {Promise<boolean>}
   */
  async create(monitor, definition) {
    return create.reply(await this.#client.call(create.name, create.words(monitor, definition), monitor))
  }

  /**
   * Counts one observation, in the window that is open now, and waits until it counts; a {@link Batcher} doesn't.
   * @param {string} monitor
   * @param {Fields} fields
   * @returns {Promise<number>} observations in the open window
   */
  async observe(monitor, fields) {
    return observe.reply(await this.#client.call(observe.name, observe.words(monitor, fields), monitor))
  }

  /**
   * Counts many observations with few commands. All are checked before any is sent.
   * @param {string} monitor
   * @param {Iterable<Fields>} rows each with at most 64 fields
   * @returns {Promise<number>} how many were counted
   */
  async observeMany(monitor, rows) {
    const all = tables(rows)
    const commands = all.map(({ columns, values }) => observeMany.ofTable(monitor, columns, values))
    await Promise.all(commands.map((words) => this.#client.call(observeMany.name, words, monitor)))
    return all.reduce((sum, table) => sum + table.rows, 0)
  }

  /**
   * How often items were counted.
   * @param {string} monitor
   * @param {string} dimension a dimension, or a cross such as `service*status`
   * @param {...string} items of a cross such as `pay*500`
   */
  async count(monitor, dimension, ...items) {
    return count.reply(await this.#client.call(count.name, count.words(monitor, dimension, items), monitor), items)
  }

  /**
   * The heaviest items of the open window and of the last one.
   * @param {string} monitor
   * @param {string} dimension
   * @param {number} [k] how many, 1 to 32; 10
   */
  async top(monitor, dimension, k) {
    return top.reply(await this.#client.call(top.name, top.words(monitor, dimension, k), monitor))
  }

  /**
   * Quantiles of a measure in the last window, in its unit; null where that has no value.
   * @param {string} monitor
   * @param {string} measure
   * @param {...number} ranks from 0 to 1, such as 0.99
   */
  async quantile(monitor, measure, ...ranks) {
    return quantile.reply(await this.#client.call(quantile.name, quantile.words(monitor, measure, ranks), monitor))
  }

  /**
   * The last fingerprint, or the one under an id; null where there is none.
   * @param {string} monitor
   * @param {string} [id] `<end of the window in ms>-0`
   */
  async fingerprint(monitor, id) {
    return fingerprint.reply(await this.#client.call(fingerprint.name, fingerprint.words(monitor, id), monitor))
  }

  /**
   * State, open window, sources, memory and what was left out.
   * @param {string} monitor
   */
  async info(monitor) {
    return info.reply(await this.#client.call(info.name, info.words(monitor), monitor))
  }

  /** The monitors of this database, in order. */
  async list() {
    const nodes = await this.#client.nodes()
    const names = await Promise.all(nodes.map((call) => call(list.name, list.words())))
    return names.flatMap(list.reply).sort()
  }

  /**
   * A number about the business, such as orders a minute: one value a period, judged like any other. Needs no module.
   * @param {string} name of the monitor that the number becomes
   * @param {number} value
   * @param {BusinessMetricOptions} [options]
   * @returns {Promise<string>} id of the value's window
   */
  businessMetric(name, value, options) {
    return businessMetric(this.#client, name, value, options)
  }

  /**
   * Alerts from now on, each once, in order for each monitor, whatever happens to connections. Ends with `break`, with
   * `return()`, or by the signal.
   * @param {AlertOptions} [options]
   * @example
   * for await (const alert of eddyline.alerts()) {
   *   console.log(alert.severity, alert.summary)
   * }
   */
  alerts(options) {
    return new Alerts(this.#client, options)
  }

  /**
   * Says what an incident was: `normal` (the like of it opens nothing any more), `anomaly`, `snooze` (not for a while) or
   * `undo` (what was said last is taken back). Workers act on it within two seconds.
   * @param {string} incident the id in every alert
   * @param {FeedbackWord} word
   * @param {FeedbackOptions} [options]
   */
  feedback(incident, word, options) {
    return giveFeedback(this.#client, incident, word, options)
  }

  /**
   * Observations without waiting, and without a thought of Redis.
   * @param {BatcherOptions} [options]
   */
  batcher(options) {
    return new Batcher(this, options)
  }
}
