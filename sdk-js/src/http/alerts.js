/** Alerts over HTTP as an async iterator: the gateway's events, taken up again where they broke off. */
import { EddylineError, InvalidArgument, Unavailable } from '../errors.js'
import { companions } from '../names.js'
import { compareIds } from '../alerts/ids.js'
import { parseAlert } from '../alerts/alert.js'
import { warn } from '../warn.js'
import { EventReader } from './events.js'

/** @import { Alert } from '../alerts/alert.js' */
/** @import { Connection } from './connection.js' */

/**
 * @typedef {object} HttpAlertOptions
 * @property {string} [monitor] only of this one; of all where it isn't given
 * @property {number} [sinceMs] also what was told before: of windows that ended then or later, ms since the epoch
 * @property {AbortSignal} [signal] ends the iteration
 */

/** The gateway says something every 15 s at least; a connection that is silent for longer is dead. */
const SILENCE_MS = 45_000
/**
 * When it is taken up again, events of so long before the last one are asked for once more: those of one monitor may be told
 * after later ones of another.
 */
const OVERLAP_MS = 60_000
const FIRST_BACKOFF_MS = 100
const LONGEST_BACKOFF_MS = 5_000

/** @implements {AsyncIterableIterator<Alert>} */
export class HttpAlerts {
  #connection
  #monitor
  #signal
  #stop = new AbortController()
  #end = () => this.#stop.abort()
  /** @type {number | undefined} ms of the newest window that was told of */
  #newest
  #sinceMs
  /** @type {Map<string, string>} monitor → id of the last entry that was told */
  #told = new Map()
  #backoff = FIRST_BACKOFF_MS
  #reader

  /**
   * @param {Connection} connection
   * @param {HttpAlertOptions} [options]
   */
  constructor(connection, { monitor, sinceMs, signal } = {}) {
    if (sinceMs !== undefined && (!Number.isInteger(sinceMs) || sinceMs < 0)) {
      throw new InvalidArgument(`sinceMs is whole milliseconds since the epoch, got ${String(sinceMs)}`)
    }
    if (monitor !== undefined) {
      companions(monitor)
    }
    this.#connection = connection
    this.#monitor = monitor
    this.#sinceMs = sinceMs
    this.#signal = signal
    this.#reader = this.#read()
    signal?.addEventListener('abort', this.#end, { once: true })
    if (signal?.aborted) {
      this.#end()
    }
  }

  [Symbol.asyncIterator]() {
    return this
  }

  /** @returns {Promise<IteratorResult<Alert, undefined>>} */
  next() {
    return this.#reader.next()
  }

  /**
   * Ends the iteration, a `next()` that waits too.
   * @returns {Promise<IteratorResult<Alert, undefined>>}
   */
  async return() {
    this.#end()
    return this.#reader.return(undefined)
  }

  /** @returns {AsyncGenerator<Alert, undefined>} */
  async *#read() {
    try {
      while (!this.#stop.signal.aborted) {
        try {
          for await (const alert of this.#connected()) {
            if (this.#stop.signal.aborted) {
              return undefined
            }
            yield alert
          }
        } catch (error) {
          if (error instanceof EddylineError && !(error instanceof Unavailable)) {
            throw error
          }
          if (!(error instanceof Unavailable) && !this.#stop.signal.aborted) {
            warn(`alerts over HTTP are taken up again after: ${String(error)}`)
          }
        }
        await this.#rest()
      }
      return undefined
    } finally {
      this.#end()
      this.#signal?.removeEventListener('abort', this.#end)
    }
  }

  /** The alerts of one connection. */
  async *#connected() {
    const over = new AbortController()
    const signal = AbortSignal.any([this.#stop.signal, over.signal])
    const after = this.#newest === undefined ? this.#sinceMs : Math.max(this.#newest - OVERLAP_MS, this.#sinceMs ?? 0)
    let silence = setTimeout(() => over.abort(), SILENCE_MS)
    try {
      const body = await this.#connection.stream('/v1/stream', [['monitor', this.#monitor], ['after', after]], signal)
      const reader = body.getReader()
      const [decoder, events] = [new TextDecoder(), new EventReader()]
      for (;;) {
        const { done, value } = await reader.read()
        if (done) {
          return
        }
        clearTimeout(silence)
        silence = setTimeout(() => over.abort(), SILENCE_MS)
        this.#backoff = FIRST_BACKOFF_MS
        for (const event of events.read(decoder.decode(value, { stream: true }))) {
          const alert = this.#alert(event)
          if (alert !== undefined) {
            yield alert
          }
        }
      }
    } catch (error) {
      // What fetch throws in the middle of a body is about the connection.
      throw error instanceof EddylineError ? error : new Unavailable('the connection broke', { cause: error })
    } finally {
      clearTimeout(silence)
      over.abort()
    }
  }

  /**
   * The alert that an event is, unless it was told before.
   * @param {{ event: string, data: string, id: string }} event
   * @returns {Alert | undefined}
   */
  #alert({ event, data, id }) {
    const ms = Number(id)
    if (id !== '' && Number.isInteger(ms)) {
      this.#newest = Math.max(this.#newest ?? 0, ms)
    }
    if (event !== 'alert') {
      return undefined
    }
    try {
      const alert = parseAlert(data)
      const told = this.#told.get(alert.monitor)
      if (told !== undefined && compareIds(alert.entry, told) <= 0) {
        return undefined
      }
      this.#told.set(alert.monitor, alert.entry)
      return alert
    } catch (error) {
      warn(`an event of the gateway is left out: ${/** @type {Error} */ (error).message}`)
      return undefined
    }
  }

  #rest() {
    const ms = this.#backoff
    this.#backoff = Math.min(ms * 2, LONGEST_BACKOFF_MS)
    const { signal } = this.#stop
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve(undefined)
        return
      }
      const timer = setTimeout(done, ms)
      function done() {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve(undefined)
      }
      signal.addEventListener('abort', done)
    })
  }
}
