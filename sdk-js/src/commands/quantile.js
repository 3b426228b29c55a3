/** `EDDY.QUANTILE`: quantiles of a measure. */
import { companions } from '../names.js'
import { list, numberOrNull } from '../replies.js'

export const quantile = {
  name: 'EDDY.QUANTILE',
  readOnly: true,
  /**
   * @param {string} monitor
   * @param {string} measure
   * @param {readonly number[]} ranks 1 to 100 numbers from 0, the least value, to 1, the greatest
   * @returns {string[]}
   */
  words(monitor, measure, ranks) {
    companions(monitor)
    return [monitor, measure, ...ranks.map(String)]
  },
  /**
   * In the measure's unit, in the order asked for; null where the last window has no value.
   * @param {unknown} reply
   * @returns {(number | null)[]}
   */
  reply(reply) {
    return list(reply).map(numberOrNull)
  }
}
