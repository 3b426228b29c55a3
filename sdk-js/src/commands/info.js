/** `EDDY.INFO`: state, open window, sources, memory and what was left out. */
import { companions } from '../names.js'
import { list, number, pairs, text } from '../replies.js'

/**
 * As `EDDY.INFO` names it; a newer server may tell more.
 * @typedef {object} Info
 * @property {string} state `counting`, or `learning 12/1000`
 * @property {'server' | 'stream'} clock
 * @property {number} window_ms
 * @property {number} open_start_ms
 * @property {number} open_end_ms
 * @property {number} open_observations
 * @property {number} observations
 * @property {string | null} schema
 * @property {number} last_fingerprint_ms 0 where there is none
 * @property {number} waiting fingerprints that wait to be written
 * @property {number} retention
 * @property {number} memory_bytes
 * @property {number} memory_bytes_at_most
 * @property {'yes' | 'no'} paused
 * @property {'yes' | 'no'} following
 * @property {string[]} hashed
 * @property {Record<string, string>} sources source → id of the last entry read
 * @property {Record<string, number>} left_out reason → how much was left out
 */

const NUMBERS = [
  'window_ms', 'open_start_ms', 'open_end_ms', 'open_observations', 'observations', 'last_fingerprint_ms', 'waiting',
  'retention', 'memory_bytes', 'memory_bytes_at_most'
]

/**
 * @param {string} name
 * @param {unknown} value
 * @returns {unknown}
 */
function read(name, value) {
  switch (name) {
    case 'hashed':
      return list(value).map(text)
    case 'sources':
      return Object.fromEntries(pairs(value).map(([source, id]) => [source, text(id)]))
    case 'left_out':
      return Object.fromEntries(pairs(value).map(([reason, times]) => [reason, number(times)]))
    default:
      return NUMBERS.includes(name) ? number(value) : value
  }
}

export const info = {
  name: 'EDDY.INFO',
  readOnly: true,
  /**
   * @param {string} monitor
   * @returns {string[]}
   */
  words(monitor) {
    companions(monitor)
    return [monitor]
  },
  /**
   * @param {unknown} reply
   * @returns {Info}
   */
  reply(reply) {
    const map = pairs(reply).map(([name, value]) => [name, read(name, value)])
    return /** @type {Info} */ (Object.fromEntries(map))
  }
}
