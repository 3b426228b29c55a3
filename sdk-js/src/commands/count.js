/** `EDDY.COUNT`: how often items were counted. */
import { companions } from '../names.js'
import { list, number } from '../replies.js'

/**
 * @typedef {object} ItemCount
 * @property {string} item
 * @property {number} open observations in the open window, about
 * @property {number} last observations in the last window
 * @property {number} usual observations a window in the long run
 */

export const count = {
  name: 'EDDY.COUNT',
  readOnly: true,
  /**
   * @param {string} monitor
   * @param {string} dimension a dimension, or a cross such as `service*status`
   * @param {readonly string[]} items 1 to 1,000; of a cross such as `pay*500`
   * @returns {string[]}
   */
  words(monitor, dimension, items) {
    companions(monitor)
    return [monitor, dimension, ...items.map(String)]
  },
  /**
   * @param {unknown} reply
   * @param {readonly string[]} items
   * @returns {ItemCount[]}
   */
  reply(reply, items) {
    return list(reply).map((counts, at) => {
      const [open, last, usual] = list(counts).map(number)
      return { item: String(items[at]), open, last, usual }
    })
  }
}
