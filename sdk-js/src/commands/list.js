/** `EDDY.LIST`: the monitors of this database on this node. */
import { list as listOf, text } from '../replies.js'

export const list = {
  name: 'EDDY.LIST',
  readOnly: true,
  /** @returns {string[]} */
  words() {
    return []
  },
  /**
   * @param {unknown} reply
   * @returns {string[]}
   */
  reply(reply) {
    return listOf(reply).map(text)
  }
}
