/** `EDDY.TOP`: the heaviest items. */
import { companions } from '../names.js'
import { list, number, pairs, text } from '../replies.js'

/**
 * @typedef {object} Top
 * @property {{ item: string, count: number }[]} open of the open window, largest first
 * @property {{ item: string, count: number }[]} last of the last window, largest first
 */

export const top = {
  name: 'EDDY.TOP',
  readOnly: true,
  /**
   * @param {string} monitor
   * @param {string} dimension a dimension, or a cross such as `service*status`
   * @param {number} [k] how many items, 1 to 32
   * @returns {string[]}
   */
  words(monitor, dimension, k = 10) {
    companions(monitor)
    return [monitor, dimension, String(k)]
  },
  /**
   * @param {unknown} reply
   * @returns {Top}
   */
  reply(reply) {
    const windows = Object.fromEntries(pairs(reply))
    const items = (/** @type {unknown} */ heavy) =>
      list(heavy).map((pair) => ({ item: text(list(pair)[0]), count: number(list(pair)[1]) }))
    return { open: items(windows.open), last: items(windows.last) }
  }
}
