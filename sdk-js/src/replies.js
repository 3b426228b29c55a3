/** Replies in RESP2 and RESP3, whatever shape a client gives them. */

/**
 * A reply that is a map: a flat list in RESP2, an object or a Map in RESP3.
 * @param {unknown} reply
 * @returns {[string, unknown][]}
 */
export function pairs(reply) {
  if (Array.isArray(reply)) {
    /** @type {[string, unknown][]} */
    const all = []
    for (let at = 0; at + 1 < reply.length; at += 2) {
      all.push([text(reply[at]), reply[at + 1]])
    }
    return all
  }
  const entries = reply instanceof Map ? [...reply] : Object.entries(/** @type {object} */ (reply ?? {}))
  return entries.map(([name, value]) => [text(name), value])
}

/**
 * @param {unknown} reply
 * @returns {unknown[]}
 */
export function list(reply) {
  return Array.isArray(reply) ? reply : []
}

/**
 * @param {unknown} reply
 * @returns {string}
 */
export function text(reply) {
  return typeof reply === 'string' ? reply : String(reply)
}

/**
 * A number: text in RESP2, where doubles have no type of their own.
 * @param {unknown} reply
 * @returns {number}
 */
export function number(reply) {
  return Number(reply)
}

/**
 * A number that may be missing.
 * @param {unknown} reply
 * @returns {number | null}
 */
export function numberOrNull(reply) {
  return reply === null || reply === undefined ? null : Number(reply)
}
