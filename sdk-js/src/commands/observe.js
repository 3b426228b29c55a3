/** `EDDY.OBSERVE`: one observation. */
import { companions } from '../names.js'
import { number } from '../replies.js'
import { present } from '../values.js'

/** @import { Fields } from '../values.js' */

export const observe = {
  name: 'EDDY.OBSERVE',
  readOnly: false,
  /**
   * @param {string} monitor
   * @param {Fields} fields
   * @returns {string[]}
   */
  words(monitor, fields) {
    companions(monitor)
    const words = [monitor]
    for (const [field, value] of present(fields)) {
      words.push(field, String(value))
    }
    return words
  },
  /** Observations in the open window. */
  reply: number
}
