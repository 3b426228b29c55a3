/**
 * Alerts as an async iterator. The streams of incidents are the truth, read by id; Pub/Sub only says where to look now.
 * So an alert is told once however often a connection breaks, and a message that was lost costs time, not the alert.
 */
import { EddylineError, InvalidArgument, Refused, Unavailable } from '../errors.js'
import { ALERTS, companions, isMonitor } from '../names.js'
import { warn } from '../warn.js'
import { isId } from './ids.js'
import { Places } from './places.js'
import { entriesFrom, monitorsWithIncidents, newest } from './streams.js'

/** @import { RedisClient } from '../redis/client.js' */
/** @import { Alert } from './alert.js' */

/**
 * @typedef {object} AlertOptions
 * @property {string[]} [monitors] only of these; of all, also of those made later, where it isn't given
 * @property {number} [sinceMs] also what was told before: of windows that ended then or later, ms since the epoch
 * @property {AbortSignal} [signal] ends the iteration
 */

/** Without any message all known monitors are looked at so often: a connection may be dead without saying so. */
const SWEEP_MS = 10_000
/** Looking for monitors takes at most one part in so many of the time. */
const SEARCH_SHARE = 20
/** Monitors read at once. */
const AT_ONCE = 32
/** How long after a failure it is tried again: doubled each time. */
const FIRST_BACKOFF_MS = 50
const LONGEST_BACKOFF_MS = 2_000

/** @implements {AsyncIterableIterator<Alert>} */
export class Alerts {
  #client
  #monitors
  #signal
  #places
  #stop = () => this.#end()
  #isOver = false
  /** @type {Set<string>} monitors that may have news */
  #due = new Set()
  #isSearchDue = false
  #searchedAt = -Infinity
  #searchTook = 0
  /** @type {(() => void) | undefined} ends a sleep */
  #wake
  #reader

  /**
   * @param {RedisClient} client
   * @param {AlertOptions} [options]
   */
  constructor(client, { monitors, sinceMs, signal } = {}) {
    if (sinceMs !== undefined && (!Number.isInteger(sinceMs) || sinceMs < 0)) {
      throw new InvalidArgument(`sinceMs is whole milliseconds since the epoch, got ${String(sinceMs)}`)
    }
    monitors?.forEach(companions)
    this.#client = client
    this.#monitors = monitors
    this.#signal = signal
    this.#places = new Places(sinceMs === undefined ? '-' : `${sinceMs}-0`)
    this.#reader = this.#read(sinceMs === undefined)
    signal?.addEventListener('abort', this.#stop, { once: true })
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

  #end() {
    this.#isOver = true
    this.#signal?.removeEventListener('abort', this.#stop)
    this.#wake?.()
  }

  /**
   * @param {boolean} onlyNews
   * @returns {AsyncGenerator<Alert, undefined>}
   */
  async *#read(onlyNews) {
    /** @type {(() => void) | undefined} */
    let unsubscribe
    try {
      await this.#patiently(() => this.#search(onlyNews))
      unsubscribe = await this.#patiently(() => this.#subscribe())
      let backoff = FIRST_BACKOFF_MS
      while (!this.#isOver) {
        if (this.#isSearchDue && this.#maySearch()) {
          await this.#patiently(() => this.#search(false))
        }
        const due = [...this.#due].slice(0, AT_ONCE)
        if (due.length === 0) {
          await this.#rest()
          continue
        }
        const pages = await Promise.allSettled(due.map((monitor) => this.#page(monitor)))
        for (const alert of pages.flatMap((page) => (page.status === 'fulfilled' ? page.value : []))) {
          yield alert
          if (this.#isOver) {
            return undefined
          }
        }
        const failed = pages.find((page) => page.status === 'rejected')
        backoff = failed === undefined ? FIRST_BACKOFF_MS : await this.#backOff(failed.reason, backoff)
      }
      return undefined
    } finally {
      this.#end()
      unsubscribe?.()
    }
  }

  #subscribe() {
    const channels = this.#monitors?.map((monitor) => companions(monitor).alerts) ?? [ALERTS]
    return this.#client.subscribe(channels, {
      message: (text) => this.#hear(text),
      connected: () => this.#lookEverywhere()
    })
  }

  /** @param {string} text */
  #hear(text) {
    /** @type {any} */
    let alert
    try {
      alert = JSON.parse(text)
    } catch {
      return
    }
    const { monitor, entry } = alert ?? {}
    // Anybody may publish anything.
    if (isMonitor(monitor) && isId(entry) && !this.#places.wasRead(monitor, entry)) {
      this.#look(monitor)
    }
  }

  /** @param {string} monitor */
  #look(monitor) {
    this.#places.add(monitor)
    this.#due.add(monitor)
    this.#wake?.()
  }

  #lookEverywhere() {
    this.#isSearchDue = this.#monitors === undefined
    for (const monitor of this.#monitors ?? this.#places.monitors()) {
      this.#due.add(monitor)
    }
    this.#wake?.()
  }

  #maySearch() {
    return performance.now() >= this.#searchedAt + this.#searchTook * SEARCH_SHARE
  }

  /**
   * Finds the monitors that there are.
   * @param {boolean} asRead whether what their streams have by now was told before
   */
  async #search(asRead) {
    const began = performance.now()
    const found = this.#monitors ?? (await monitorsWithIncidents(this.#client, () => this.#isOver))
    for (const monitor of found) {
      if (!this.#places.has(monitor)) {
        const last = asRead ? await newest(this.#client, monitor) : undefined
        if (last === undefined) {
          this.#look(monitor)
        } else {
          this.#places.read(monitor, last)
        }
      }
    }
    this.#isSearchDue = false
    this.#searchedAt = performance.now()
    this.#searchTook = this.#searchedAt - began
  }

  /**
   * The news of a monitor, a page at most.
   * @param {string} monitor
   * @returns {Promise<Alert[]>}
   */
  async #page(monitor) {
    this.#due.delete(monitor)
    try {
      const { entries, more } = await entriesFrom(this.#client, monitor, this.#places.start(monitor))
      if (more) {
        this.#due.add(monitor)
      }
      if (entries.length === 0) {
        this.#places.forget(monitor)
      }
      return entries.flatMap(({ id, alert, unreadable }) => {
        // A stream that was renamed or copied has what was told under its former name.
        const isOld = alert !== undefined && alert.monitor !== monitor && this.#places.wasRead(alert.monitor, id)
        this.#places.read(monitor, id)
        if (unreadable !== undefined) {
          warn(`entry ${id} of the incidents of '${monitor}' is left out: ${unreadable.message}`)
        }
        return alert === undefined || isOld ? [] : [alert]
      })
    } catch (error) {
      if (error instanceof Refused) {
        warn(`incidents of '${monitor}' can't be read: ${error.message}`)
        return []
      }
      this.#due.add(monitor)
      throw error
    }
  }

  /** Until there is something to do. */
  async #rest() {
    const search = this.#isSearchDue ? this.#searchedAt + this.#searchTook * SEARCH_SHARE - performance.now() : SWEEP_MS
    const wasWoken = await this.#sleep(Math.min(Math.max(search, 1), SWEEP_MS))
    if (!wasWoken && !this.#isSearchDue) {
      this.#lookEverywhere()
    }
  }

  /**
   * Whether it was woken.
   * @param {number} ms
   * @returns {Promise<boolean>}
   */
  #sleep(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(false), ms)
      const done = (/** @type {boolean} */ wasWoken) => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve(wasWoken)
      }
      this.#wake = () => done(true)
      if (this.#isOver) {
        done(true)
      }
    })
  }

  /**
   * What `work` gives, tried again while Redis is away; undefined when the iteration ends meanwhile.
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T | undefined>}
   */
  async #patiently(work) {
    let backoff = FIRST_BACKOFF_MS
    while (!this.#isOver) {
      try {
        return await work()
      } catch (error) {
        backoff = await this.#backOff(error, backoff)
      }
    }
    return undefined
  }

  /**
   * Waits after a failure that may pass; throws one that won't.
   * @param {unknown} error
   * @param {number} ms
   * @returns {Promise<number>} how long to wait after the next one
   */
  async #backOff(error, ms) {
    const stays = error instanceof EddylineError && !(error instanceof Unavailable)
    if (stays || this.#client.isClosed()) {
      throw error
    }
    if (!(error instanceof Unavailable)) {
      warn(`alerts are tried again after: ${String(error)}`)
    }
    await this.#sleep(ms)
    return Math.min(ms * 2, LONGEST_BACKOFF_MS)
  }
}
