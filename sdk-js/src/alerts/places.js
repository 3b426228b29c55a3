/** How far each monitor's stream of incidents was read. Pure: no connection, no clock. */
import { compareIds } from './ids.js'

export class Places {
  /**
   * The last entry that was read of each monitor.
   * @type {Map<string, string>}
   */
  #read = new Map()
  /**
   * Monitors that are known, and of which nothing was read.
   * @type {Set<string>}
   */
  #fresh = new Set()
  #begin

  /** @param {string} begin id of the first entry that is read of a monitor of which nothing was read */
  constructor(begin) {
    this.#begin = begin
  }

  /** @returns {string[]} */
  monitors() {
    return [...this.#read.keys(), ...this.#fresh]
  }

  /** @param {string} monitor */
  add(monitor) {
    if (!this.#read.has(monitor)) {
      this.#fresh.add(monitor)
    }
  }

  /**
   * A monitor of which there is nothing to read isn't kept in mind.
   * @param {string} monitor
   */
  forget(monitor) {
    this.#fresh.delete(monitor)
  }

  /** @param {string} monitor */
  has(monitor) {
    return this.#read.has(monitor) || this.#fresh.has(monitor)
  }

  /**
   * What XRANGE starts with.
   * @param {string} monitor
   */
  start(monitor) {
    const last = this.#read.get(monitor)
    return last === undefined ? this.#begin : `(${last}`
  }

  /**
   * Whether an entry was read before, under this monitor's name.
   * @param {string} monitor
   * @param {string} id
   */
  wasRead(monitor, id) {
    const last = this.#read.get(monitor)
    return last !== undefined && compareIds(id, last) <= 0
  }

  /**
   * @param {string} monitor
   * @param {string} id
   */
  read(monitor, id) {
    this.#fresh.delete(monitor)
    this.#read.set(monitor, id)
  }
}
