/** `EDDY.CREATE`: makes a monitor. */
import { InvalidArgument } from '../errors.js'
import { companions } from '../names.js'

/**
 * What to watch. With none of `dimensions`, `crosses`, `measures` and `uniques` the server infers them from the first
 * observations.
 * @typedef {object} Definition
 * @property {string[]} [sources] streams to count entries of, besides what is observed; at most 16
 * @property {string} [from] where to start in them: an entry's id, or `$` (default): with the next entry
 * @property {'server' | 'stream'} [clock] who moves time: the server's clock too (default), or entries alone
 * @property {number} [windowMs] length of a window in ms, 100 to 86,400,000; 5,000
 * @property {number} [buckets] buckets of a dimension, 8 to 1,024; 32
 * @property {number} [retention] fingerprints kept, 100 to 10,000,000; 20,000
 * @property {number} [memory] bytes that the monitor may take, 16,384 to 67,108,864; 1 MiB
 * @property {string[]} [dimensions] fields to count, such as `endpoint`; at most 16
 * @property {string[]} [crosses] joint items, such as `endpoint*latency_ms`; at most 16
 * @property {string[]} [measures] numeric fields, such as `latency_ms`; at most 16
 * @property {string[]} [uniques] fields of which only the number of distinct values matters; at most 8
 * @property {string[]} [hashed] fields of which only a keyed hash is stored; at most 16
 * @property {string} [salt] key of that hash, 32 hex digits; drawn by the server where it isn't given
 * @property {boolean} [ifMissing] a monitor that exists is left as it is, and nothing is an error
 */

/** Option → its word and whether it is a list, in the order in which they are sent. */
const OPTIONS = /** @type {const} */ ([
  ['sources', 'SOURCES'],
  ['from', 'FROM'],
  ['clock', 'CLOCK'],
  ['windowMs', 'WINDOW'],
  ['buckets', 'BUCKETS'],
  ['retention', 'RETENTION'],
  ['memory', 'MEMORY'],
  ['dimensions', 'DIMENSIONS'],
  ['crosses', 'CROSSES'],
  ['measures', 'MEASURES'],
  ['uniques', 'UNIQUES'],
  ['hashed', 'HASHED'],
  ['salt', 'SALT'],
  ['ifMissing', 'NX']
])

/** Those that are lists of names; the others are one value each. */
const LISTS = new Set(['sources', 'dimensions', 'crosses', 'measures', 'uniques', 'hashed'])

/**
 * A definition that has no option but known ones, and lists where there have to be lists.
 * @param {Definition} definition
 * @returns {Definition}
 */
export function checked(definition) {
  const known = OPTIONS.map(([option]) => /** @type {string} */ (option))
  for (const [option, value] of Object.entries(definition)) {
    if (!known.includes(option)) {
      throw new InvalidArgument(`create has no option '${option}', it has: ${known.join(', ')}`)
    }
    if (LISTS.has(option) && value !== undefined && !Array.isArray(value)) {
      throw new InvalidArgument(`${option} is a list of names, such as ['endpoint'], got ${typeof value}`)
    }
  }
  return definition
}

export const create = {
  name: 'EDDY.CREATE',
  readOnly: false,
  /**
   * @param {string} monitor
   * @param {Definition} [definition]
   * @returns {string[]}
   */
  words(monitor, definition = {}) {
    companions(monitor)
    checked(definition)
    const words = [monitor]
    for (const [option, word] of OPTIONS) {
      const value = definition[option]
      if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) {
        continue
      }
      words.push(word)
      if (Array.isArray(value)) {
        words.push(String(value.length), ...value.map(String))
      } else if (value !== true) {
        words.push(String(value))
      }
    }
    return words
  },
  /**
   * Whether it was made now; false where `ifMissing` found one.
   * @param {unknown} reply
   */
  reply(reply) {
    return reply !== null
  }
}
