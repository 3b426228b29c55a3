/** Observations that wait, bounded, in columns: grouped by monitor and list of fields. Pure: no timer, no connection. */
import { MAX_COLUMNS } from '../commands/observe-many.js'
import { MAX_NAME, bytes, companions } from '../names.js'
import { isPresent } from '../values.js'

/** @import { Fields } from '../values.js' */
/** @typedef {string | number | bigint | boolean} Present */

/** Bytes of text that may wait, about. */
const MOST_TEXT = 32 * 1024 * 1024

/** Observations of one monitor with one list of fields: what one command takes. */
export class Batch {
  /** @type {Present[]} observation after observation */
  values = []
  /** Characters of text in the values. */
  text = 0
  rows = 0

  /**
   * @param {string} monitor
   * @param {readonly string[]} columns
   */
  constructor(monitor, columns) {
    this.monitor = monitor
    this.columns = columns
  }
}

/** What is collected of one monitor. */
class Collected {
  /** @type {Map<string, Batch>} by list of fields */
  batches = new Map()
  /** The batch of the last observation: the next one mostly has the same fields. */
  last

  /** @param {string} monitor */
  constructor(monitor) {
    this.monitor = monitor
    this.last = new Batch(monitor, [])
  }
}

export class Queue {
  #most
  #batchRows
  /** @type {Map<string, Collected>} */
  #monitors = new Map()
  /** @type {Batch[]} batches that are full or were cut, oldest first */
  #cut = []
  #text = 0
  /** Observations that wait. */
  rows = 0
  /** Values that were left out of observations that are sent: longer than an item may be, or nothing that can be sent. */
  leftOut = 0

  /**
   * @param {number} most observations that may wait
   * @param {number} batchRows observations of a batch
   */
  constructor(most, batchRows) {
    this.#most = most
    this.#batchRows = batchRows
  }

  /**
   * Takes an observation, or says why not.
   * @param {string} monitor
   * @param {Fields} fields
   * @returns {'taken' | 'full' | 'invalid'}
   */
  add(monitor, fields) {
    if (this.rows >= this.#most || this.#text >= MOST_TEXT) {
      return 'full'
    }
    const collected = this.#monitors.get(monitor) ?? this.#collect(monitor)
    if (collected === undefined) {
      return 'invalid'
    }
    const batch = collected.last
    if (!this.#push(batch, fields)) {
      return this.#addOthers(collected, fields)
    }
    this.#count(collected, batch)
    return 'taken'
  }

  /** Whether a batch is full, so that it needn't wait for its time. */
  get hasCut() {
    return this.#cut.length > 0
  }

  /** Makes batches of all that was collected. */
  cut() {
    for (const [monitor, collected] of this.#monitors) {
      if (collected.batches.size === 0) {
        this.#monitors.delete(monitor)
      }
      this.#cut.push(...collected.batches.values())
      collected.batches.clear()
      collected.last = new Batch(monitor, collected.last.columns)
    }
  }

  /** The oldest batch that was cut. */
  take() {
    const batch = this.#cut.shift()
    if (batch !== undefined) {
      this.rows -= batch.rows
      this.#text -= batch.text
    }
    return batch
  }

  /**
   * What fits the batch's fields exactly. The common case: no list of fields is made, no text is compared but names.
   * @param {Batch} batch
   * @param {Fields} fields
   */
  #push(batch, fields) {
    const { columns, values } = batch
    const begin = values.length
    let at = 0
    let text = 0
    for (const field in fields) {
      const value = fields[field]
      const length = lengthOf(value)
      if (field !== columns[at] || length < 0) {
        at = -1
        break
      }
      text += length
      values.push(/** @type {Present} */ (value))
      at++
    }
    if (at !== columns.length || at === 0) {
      values.length = begin
      return false
    }
    batch.text += text
    this.#text += text
    return true
  }

  /**
   * @param {Collected} collected
   * @param {Fields} fields
   * @returns {'taken' | 'invalid'}
   */
  #addOthers(collected, fields) {
    /** @type {Fields} */
    const kept = {}
    let leftOut = 0
    for (const [field, value] of Object.entries(Object(fields))) {
      if (isPresent(value) && (typeof value !== 'string' || value.length <= MAX_NAME)) {
        kept[field] = typeof value === 'bigint' ? String(value) : value
      } else if (value !== null && value !== undefined) {
        leftOut++
      }
    }
    const columns = Object.keys(kept)
    const key = JSON.stringify(columns)
    const batch = collected.batches.get(key) ?? new Batch(collected.monitor, columns)
    const isObject = typeof fields === 'object'
    const isAllowed = batch.rows > 0 || (isObject && columns.length <= MAX_COLUMNS && columns.every(isName))
    if (!isAllowed || !this.#push(batch, kept)) {
      return 'invalid'
    }
    this.leftOut += leftOut
    collected.last = batch
    this.#count(collected, batch)
    return 'taken'
  }

  /**
   * @param {Collected} collected
   * @param {Batch} batch
   */
  #count(collected, batch) {
    this.rows++
    batch.rows++
    if (batch.rows === 1) {
      collected.batches.set(JSON.stringify(batch.columns), batch)
    }
    if (batch.rows >= this.#batchRows) {
      collected.batches.delete(JSON.stringify(batch.columns))
      collected.last = new Batch(batch.monitor, batch.columns)
      this.#cut.push(batch)
    }
  }

  /** @param {string} monitor */
  #collect(monitor) {
    try {
      companions(monitor)
    } catch {
      return undefined
    }
    const collected = new Collected(monitor)
    this.#monitors.set(monitor, collected)
    return collected
  }
}

/**
 * Characters of a value's text; below 0 for one that has to be looked at more closely.
 * @param {unknown} value
 */
function lengthOf(value) {
  if (typeof value === 'string') {
    return value.length <= MAX_NAME ? value.length : -1
  }
  return typeof value === 'number' || typeof value === 'boolean' ? 0 : -1
}

/** @param {string} field */
function isName(field) {
  return field !== '' && bytes(field) <= MAX_NAME
}
