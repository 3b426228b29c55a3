/**
 * Observations sent in the background. `observe` only puts them into a bounded queue: it never waits, never throws and
 * takes a microsecond, whether Redis is there or not. What can't be sent in time is dropped and counted.
 */
import { checked } from '../commands/create.js'
import { MAX_ROWS } from '../commands/observe-many.js'
import { EddylineError, InvalidArgument, NotFound, Unavailable } from '../errors.js'
import { warn } from '../warn.js'
import { Queue } from './queue.js'

/** @import { Definition } from '../commands/create.js' */
/** @import { Fields } from '../values.js' */
/** @import { Batch } from './queue.js' */
/** @import { Transport } from './transport.js' */

/**
 * @typedef {object} BatcherOptions
 * @property {number} [maxQueued] observations that may wait; more are dropped; 50,000
 * @property {number} [maxBatch] observations of one command, 1 to 1,000; 500
 * @property {number} [flushMs] how long an observation waits at most for others, in ms; 100
 * @property {number} [maxAgeMs] what couldn't be sent for so long is dropped, in ms: it would be counted in a window that it
 *   isn't of; 5,000
 * @property {Record<string, Definition>} [monitors] monitors that are made before they are first observed, where they are
 *   missing
 */

/**
 * Why observations were dropped: `full` the queue; `stale` not sent in time; `lost` sent, but the connection broke, so that
 * nobody knows whether they count; `refused` by the server; `invalid` nothing that can be sent; `closed` after `close()`.
 * @typedef {'full' | 'stale' | 'lost' | 'refused' | 'invalid' | 'closed'} DropReason
 */

/**
 * @typedef {object} BatcherStats
 * @property {number} queued observations that wait
 * @property {number} sent observations that were counted
 * @property {Record<DropReason, number>} dropped
 * @property {number} leftOut values left out of observations: longer than 1,024 characters, or nothing that can be sent
 * @property {Error | undefined} lastError
 */

/** Commands that are under way at once. */
const IN_FLIGHT = 8
const FLUSH_WITHIN_MS = 5_000

export class Batcher {
  /** @type {Transport} */
  #transport
  #queue
  #flushMs
  #maxAgeMs
  #monitors
  /** @type {Set<string>} those of the defined monitors that are known to be there */
  #made = new Set()
  /** @type {{ batch: Batch, cutAt: number }[]} */
  #waiting = []
  #waitingRows = 0
  #maxQueued
  #inFlight = 0
  /** @type {Set<() => void>} those who wait until all is sent */
  #flushing = new Set()
  #timer
  #isSoon = false
  #isClosed = false
  #sent = 0
  /** @type {Record<DropReason, number>} */
  #dropped = { full: 0, stale: 0, lost: 0, refused: 0, invalid: 0, closed: 0 }
  /** @type {Error | undefined} */
  #lastError
  #atExit = () => void this.flush()

  /**
   * @param {{ transport: Transport }} target an `Eddyline` or an `EddylineHttp`
   * @param {BatcherOptions} [options]
   */
  constructor(target, { maxQueued = 50_000, maxBatch = 500, flushMs = 100, maxAgeMs = 5_000, monitors = {} } = {}) {
    if (typeof target?.transport?.send !== 'function') {
      throw new InvalidArgument('a Batcher sends through new Eddyline(client) or new EddylineHttp(url)')
    }
    this.#transport = target.transport
    this.#maxQueued = whole('maxQueued', maxQueued, 1, 10_000_000)
    this.#queue = new Queue(this.#maxQueued, whole('maxBatch', maxBatch, 1, MAX_ROWS))
    this.#flushMs = whole('flushMs', flushMs, 1, 60_000)
    this.#maxAgeMs = whole('maxAgeMs', maxAgeMs, 1, 3_600_000)
    this.#monitors = new Map(Object.entries(monitors).map(([name, definition]) => [name, checked(definition)]))
    this.#timer = setInterval(() => this.#tick(), this.#flushMs)
    // Neither the timer nor what waits keeps a process alive that has nothing else to do; it is sent before it goes.
    unref(this.#timer)
    ;/** @type {any} */ (globalThis).process?.on?.('beforeExit', this.#atExit)
  }

  /**
   * Takes an observation. False where it was dropped; {@link Batcher.stats} counts why.
   * @param {string} monitor
   * @param {Fields} fields
   * @returns {boolean}
   */
  observe(monitor, fields) {
    if (this.#isClosed) {
      this.#dropped.closed++
      return false
    }
    if (this.#queue.rows + this.#waitingRows >= this.#maxQueued) {
      this.#dropped.full++
      return false
    }
    try {
      const outcome = this.#queue.add(monitor, fields)
      if (outcome === 'taken') {
        if (this.#queue.hasCut && !this.#isSoon) {
          this.#soon()
        }
        return true
      }
      this.#dropped[outcome]++
    } catch {
      // A getter of the application's object threw.
      this.#dropped.invalid++
    }
    return false
  }

  /** @returns {BatcherStats} */
  stats() {
    return {
      queued: this.#queue.rows + this.#waitingRows,
      sent: this.#sent,
      dropped: { ...this.#dropped },
      leftOut: this.#queue.leftOut,
      lastError: this.#lastError
    }
  }

  /**
   * Sends what waits. Resolves to whether nothing waits any more.
   * @param {number} [withinMs] how long it may take
   * @returns {Promise<boolean>}
   */
  async flush(withinMs = FLUSH_WITHIN_MS) {
    this.#queue.cut()
    this.#pump()
    if (!this.#isIdle()) {
      await new Promise((resolve) => {
        const timer = setTimeout(done, withinMs)
        const { flushing } = { flushing: this.#flushing }
        function done() {
          clearTimeout(timer)
          flushing.delete(done)
          resolve(undefined)
        }
        flushing.add(done)
      })
    }
    return this.#isIdle()
  }

  /**
   * Sends what waits and takes no more.
   * @param {number} [withinMs] how long it may take
   */
  async close(withinMs = FLUSH_WITHIN_MS) {
    this.#isClosed = true
    await this.flush(withinMs)
    clearInterval(this.#timer)
    ;/** @type {any} */ (globalThis).process?.off?.('beforeExit', this.#atExit)
  }

  [Symbol.asyncDispose]() {
    return this.close()
  }

  #tick() {
    this.#queue.cut()
    this.#pump()
  }

  #soon() {
    this.#isSoon = true
    const go = () => {
      this.#isSoon = false
      this.#pump()
    }
    // Not within the application's call.
    typeof setImmediate === 'function' ? setImmediate(go) : setTimeout(go, 0)
  }

  /** Sends the next batch; others follow in turns of their own, so that the application comes between them. */
  #pump() {
    this.#collect()
    this.#giveUp()
    const next = this.#inFlight < IN_FLIGHT && this.#waiting.length > 0 && this.#transport.isReady()
    const waiting = next ? this.#waiting.shift() : undefined
    if (waiting !== undefined) {
      this.#waitingRows -= waiting.batch.rows
      this.#inFlight++
      void this.#send(waiting.batch).then(() => {
        this.#inFlight--
        this.#pump()
      })
      if (this.#waiting.length > 0 && !this.#isSoon) {
        this.#soon()
      }
    }
    if (this.#isIdle()) {
      this.#flushing.forEach((done) => done())
    }
  }

  #collect() {
    const cutAt = performance.now()
    for (let batch = this.#queue.take(); batch !== undefined; batch = this.#queue.take()) {
      this.#waiting.push({ batch, cutAt })
      this.#waitingRows += batch.rows
    }
  }

  /** Drops what waited too long. */
  #giveUp() {
    const oldest = performance.now() - this.#maxAgeMs
    while (this.#waiting.length > 0 && this.#waiting[0].cutAt < oldest) {
      const { batch } = /** @type {{ batch: Batch }} */ (this.#waiting.shift())
      this.#waitingRows -= batch.rows
      this.#dropped.stale += batch.rows
    }
  }

  #isIdle() {
    return this.#queue.rows === 0 && this.#waiting.length === 0 && this.#inFlight === 0
  }

  /** @param {Batch} batch */
  async #send(batch) {
    try {
      if (this.#monitors.has(batch.monitor) && !this.#made.has(batch.monitor)) {
        await this.#make(batch.monitor)
      }
      try {
        await this.#transport.send(batch)
      } catch (error) {
        if (!(error instanceof NotFound && this.#monitors.has(batch.monitor))) {
          throw error
        }
        // Deleted meanwhile, or the database was emptied. Nothing of the batch was counted.
        await this.#make(batch.monitor)
        await this.#transport.send(batch)
      }
      this.#sent += batch.rows
    } catch (error) {
      this.#failed(batch, error)
    }
  }

  /** @param {string} monitor */
  async #make(monitor) {
    try {
      await this.#transport.create(monitor, this.#monitors.get(monitor) ?? {})
    } catch (error) {
      if (error instanceof Unavailable) {
        throw error
      }
      // It may be there all the same, made by somebody who may.
      this.#tell(error)
    }
    this.#made.add(monitor)
  }

  /**
   * @param {Batch} batch
   * @param {unknown} error
   */
  #failed(batch, error) {
    this.#dropped[error instanceof Unavailable ? 'lost' : 'refused'] += batch.rows
    this.#tell(error)
  }

  /** @param {unknown} error */
  #tell(error) {
    this.#lastError = error instanceof Error ? error : new EddylineError('unknown', String(error))
    if (!(error instanceof Unavailable)) {
      warn(`observations aren't counted: ${this.#lastError.message}`)
    }
  }
}

/**
 * @param {string} name
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function whole(name, value, least, most) {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new InvalidArgument(`${name} is a whole number from ${least} to ${most}, got ${String(value)}`)
  }
  return value
}

/** @param {unknown} timer */
function unref(timer) {
  /** @type {{ unref?: () => void }} */ (timer).unref?.()
}
