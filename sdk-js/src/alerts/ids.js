/** Ids of entries of a stream. */

/**
 * Ids in the order of the stream: below 0 where `a` comes first.
 * @param {string} a
 * @param {string} b
 */
export function compareIds(a, b) {
  const [aMs = '0', aSeq = '0'] = a.split('-')
  const [bMs = '0', bSeq = '0'] = b.split('-')
  const ms = Number(aMs) - Number(bMs)
  if (ms !== 0) {
    return ms
  }
  const [one, other] = [BigInt(aSeq), BigInt(bSeq)]
  return one < other ? -1 : one > other ? 1 : 0
}

/** Whether text is the id of an entry. */
const ID = /^\d{1,20}-\d{1,20}$/

/**
 * @param {unknown} id
 * @returns {id is string}
 */
export function isId(id) {
  return typeof id === 'string' && ID.test(id)
}
