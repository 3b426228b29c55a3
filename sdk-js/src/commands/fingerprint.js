/** `EDDY.FINGERPRINT`: what a closed window leaves. */
import { companions } from '../names.js'
import { number, numberOrNull, pairs, text } from '../replies.js'

/**
 * @typedef {object} Fingerprint
 * @property {string} id `<end of the window in ms>-0`
 * @property {number} n observations in the window
 * @property {number} gapMs ms before it of which nothing is known
 * @property {boolean} partial whether only a part of the window was observed
 * @property {Record<string, { item: string, count: number }[]>} top the heaviest items by dimension (over HTTP: none)
 * @property {Record<string, number | null>} values feature → value; null is missing, buckets that are 0 are left out (over
 *   HTTP: all buckets)
 */

/**
 * @param {string} json block → [item, count, bucket] of each
 * @returns {Fingerprint['top']}
 */
function heaviest(json) {
  const blocks = /** @type {[string, [string, number, number][]][]} */ (Object.entries(JSON.parse(json)))
  return Object.fromEntries(blocks.map(([block, items]) => [block, items.map(([item, count]) => ({ item, count }))]))
}

const OWN = ['id', 'n', 'gap', 'partial', 'top']

export const fingerprint = {
  name: 'EDDY.FINGERPRINT',
  readOnly: true,
  /**
   * @param {string} monitor
   * @param {string} [id] of the fingerprint; the last one where it isn't given
   * @returns {string[]}
   */
  words(monitor, id) {
    companions(monitor)
    return id === undefined ? [monitor] : [monitor, 'ID', id]
  },
  /**
   * Null where there is none (yet).
   * @param {unknown} reply
   * @returns {Fingerprint | null}
   */
  reply(reply) {
    if (reply === null) {
      return null
    }
    const all = pairs(reply)
    const own = Object.fromEntries(all.filter(([name]) => OWN.includes(name)))
    const values = all.filter(([name]) => !OWN.includes(name)).map(([name, value]) => [name, numberOrNull(value)])
    return {
      id: text(own.id),
      n: number(own.n),
      gapMs: number(own.gap),
      partial: number(own.partial) === 1,
      top: heaviest(text(own.top)),
      values: Object.fromEntries(values)
    }
  }
}
